"""The systemd units: systemd understands them, and what they start is what the containers start."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import deploy_files as deploy

UNITS = sorted((deploy.DEPLOY / "systemd").iterdir())
PROGRAM = "/opt/reprise/bin/reprise"


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Values by the name of the setting, over all sections."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.systemd
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on PATH; apt install systemd")
def test_systemd_finds_nothing_wrong(tmp_path):
    for unit in UNITS:  # the program must be there, or systemd says no more
        (tmp_path / unit.name).write_text(unit.read_text().replace(PROGRAM, sys.executable))
    units = [str(tmp_path / unit.name) for unit in UNITS]
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    ours = [line for line in checked.stderr.splitlines() if str(tmp_path) in line or "reprise" in line]
    assert (checked.returncode, ours) == (0, [])


@pytest.mark.parametrize(("name", "like"), [("reprise-worker", "pod worker"), ("reprise", "serve")])
def test_the_services_start_what_the_containers_start(name, like):
    (start,) = settings_of(deploy.DEPLOY / "systemd" / f"{name}.service")["ExecStart"]
    assert start.split() == [PROGRAM, *deploy.commands().get(like, [like])]


def test_the_training_is_that_of_the_containers():
    (start,) = settings_of(deploy.DEPLOY / "systemd" / "reprise-train.service")["ExecStart"]
    assert start.replace("/srv/reprise/", "/data/").split() == [PROGRAM, *deploy.commands()["pod trainer"]]


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_every_service_is_confined_to_its_own_files(unit):
    settings = settings_of(unit)
    assert settings["User"] == ["reprise"]
    assert settings["ProtectSystem"] == ["strict"]
    assert settings["StateDirectory"] == ["reprise"]
    assert "REPRISE_HOME=/var/lib/reprise" in settings["Environment"]


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_every_service_reads_the_settings_that_the_containers_read(unit):
    assert settings_of(unit)["WorkingDirectory"] == deploy.instructions("WORKDIR")[-1:]


def test_what_is_enabled_is_there():
    timer = settings_of(deploy.DEPLOY / "systemd" / "reprise-train.timer")
    assert timer["WantedBy"] == ["timers.target"]
    assert {unit.name for unit in UNITS} == {
        "reprise.service",
        "reprise-worker.service",
        "reprise-train.service",
        "reprise-train.timer",
    }
