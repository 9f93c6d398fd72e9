"""What some tests need beyond Python and a package index, by the marker that says so. `.ci/run` installs all of it."""

import os
import shutil
from glob import glob

_FOLDERS = sorted(glob("/usr/lib/postgresql/*/bin"), reverse=True)  # noqa: PTH207
"""Where Debian has programs that are not on PATH."""
PROGRAMS = {
    "containers": ("podman",),
    "browser": ("chromium", "chromium-browser", "google-chrome"),
    "node": ("node",),
    "openssl": ("openssl",),
    "php": ("php",),
    "postgresql": ("initdb",),
    "mariadb": ("mariadbd",),
    "spark": ("java",),
    "redis_server": ("redis-server", "valkey-server"),
}
"""Marker → programs, one of which must be on PATH."""


def find_program(need: str) -> str | None:
    """The program that a marker asks for; None where it is not there."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_FOLDERS, "/usr/sbin"])
    return next((found for name in PROGRAMS[need] if (found := shutil.which(name, path=path))), None)
