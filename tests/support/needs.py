"""What some tests need beyond Python and a package index, by the marker that says so. `.ci/run` installs all of it."""

import shutil

PROGRAMS = {
    "containers": ("podman",),
    "browser": ("chromium", "chromium-browser", "google-chrome"),
    "node": ("node",),
    "openssl": ("openssl",),
    "php": ("php",),
    "redis_server": ("redis-server", "valkey-server"),
}
"""Marker → programs, one of which must be on PATH."""


def find_program(need: str) -> str | None:
    """The program that a marker asks for; None where it is not there."""
    return next((found for name in PROGRAMS[need] if (found := shutil.which(name))), None)
