"""The images, built once for all tests of containers."""

import os

import pytest

from tests.support.needs import find_program
from tests.support.podman import NoContainersError, Podman, build_images, environment


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Podman:
    """podman, with the images of `api/deploy`."""
    if not find_program("containers") or os.geteuid():
        pytest.skip("needs podman on PATH, and root")
    podman = Podman(environment(tmp_path_factory.mktemp("podman")))
    try:
        build_images(podman)
    except NoContainersError as error:
        pytest.skip(str(error))
    return podman
