"""What the container files run, probe and stop: the code is asked whether it is true. `tests/containers` runs them."""

import subprocess
import sys
import tomllib

import click
import pytest

from api.server.cli import STOP_TIMEOUT_S
from recommender.cli.main import EXIT_CODES, reprise
from recommender.settings import Settings
from tests.support import deploy_files as deploy

PROJECT = tomllib.loads((deploy.ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("where", deploy.commands())
def test_every_command_line_is_understood(where):
    command: click.Command | None = reprise
    name, words = "reprise", deploy.commands()[where]
    while isinstance(command, click.Group):
        name, *words = words
        command = command.get_command(click.Context(command), name)
    assert command is not None, f"{name} is no command"
    command.make_context(name, list(words))


def test_the_commands_are_those_of_a_service_and_a_trainer():
    assert list(PROJECT["project"]["scripts"]) == deploy.ENTRYPOINT
    commands = deploy.commands()
    assert commands["pod api"] == commands["compose api"] == commands["image"] == ["serve", "--host", "0.0.0.0"]
    assert commands["pod trainer"] == commands["compose trainer"]
    assert commands["pod worker"] == commands["compose worker"] == ["worker"]
    assert commands["script of pod picks"][:2] == ["picks", "week-reorder"]
    assert len([where for where in commands if "keys create" in where]) == 2


def test_a_training_that_would_fail_again_is_not_tried_again():
    (rule,) = deploy.JOB["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", sorted(EXIT_CODES.values()))
    assert deploy.JOB["template"]["spec"]["restartPolicy"] == "Never"  # or Kubernetes refuses the policy
    assert deploy.objects("CronJob")["reprise-trainer"]["spec"]["concurrencyPolicy"] == "Forbid"


def test_probes_ask_for_routes_that_answer(client):
    probes = [one["httpGet"] for name, one in deploy.CONTAINERS["api"].items() if name.endswith("Probe")]
    assert {probe["path"] for probe in probes} == {"/health/live", "/health/ready"}
    for probe in probes:
        assert client.get(probe["path"]).status_code == 200
        assert probe["port"] == "http"


def test_a_pod_that_loses_redis_stays_in_the_service(down_client):
    path = deploy.CONTAINERS["api"]["readinessProbe"]["httpGet"]["path"]
    assert down_client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("answers", "code"),
    [('{"lag_s": 899.0}', 0), ('{"lag_s": 901.0}', 1), ("", 0)],
    ids=["at work", "hangs", "without Redis"],
)
def test_the_worker_is_started_again_where_events_wait_and_redis_answers(answers, code, tmp_path):
    reprise_stand_in = tmp_path / "reprise"
    reprise_stand_in.write_text(f"#!/bin/sh\n[ \"$*\" = 'events --json' ] && [ -n '{answers}' ] && echo '{answers}'\n")
    reprise_stand_in.chmod(0o755)
    python, *words = deploy.CONTAINERS["worker"]["livenessProbe"]["exec"]["command"]
    assert python == "python"
    run = subprocess.run([sys.executable, *words], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False)
    assert run.returncode == code


def test_all_mean_the_same_port():
    port = Settings.model_fields["port"].default
    assert deploy.instructions("EXPOSE") == [str(port)]
    assert deploy.SERVICES["api"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert deploy.CONTAINERS["api"]["ports"] == [{"name": "http", "containerPort": port}]
    (service,) = deploy.objects("Service").values()
    (policy,) = deploy.objects("NetworkPolicy")["reprise-api"]["spec"]["ingress"]
    assert (service["spec"]["ports"][0]["targetPort"], policy["ports"]) == ("http", [{"port": "http"}])


def test_a_worker_may_finish_its_answers_before_it_is_killed():
    pod, wait = deploy.PODS["api"]["spec"], deploy.CONTAINERS["api"]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > wait + STOP_TIMEOUT_S
    assert int(deploy.SERVICES["api"]["stop_grace_period"].removesuffix("s")) > STOP_TIMEOUT_S


def test_what_selects_the_service_finds_it():
    labels = deploy.PODS["api"]["metadata"]["labels"]
    deployment = deploy.objects("Deployment")["reprise-api"]["spec"]
    budget, service = (deploy.objects(kind)["reprise-api"]["spec"] for kind in ("PodDisruptionBudget", "Service"))
    policy = deploy.objects("NetworkPolicy")["reprise-api"]["spec"]["podSelector"]
    spread = [one["labelSelector"] for one in deployment["template"]["spec"]["topologySpreadConstraints"]]
    selectors = [deployment["selector"], budget["selector"], policy, *spread, {"matchLabels": service["selector"]}]
    assert selectors == [{"matchLabels": labels}] * 6
    target = deploy.objects("HorizontalPodAutoscaler")["reprise-api"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", "reprise-api")
    assert "replicas" not in deployment  # the autoscaler decides


def test_the_workers_selector_finds_the_worker():
    deployment = deploy.objects("Deployment")["reprise-worker"]["spec"]
    assert deployment["selector"]["matchLabels"] == deployment["template"]["metadata"]["labels"]


def test_picks_are_only_made_by_those_who_ask_for_them():
    (path,) = [path for path in deploy.MANIFESTS if "reprise-picks" in path.read_text()]
    assert path.suffix == ".example"


def test_claimed_volumes_are_declared():
    volumes = [one for pod in deploy.PODS.values() for one in pod["spec"].get("volumes", ())]
    claims = {one["persistentVolumeClaim"]["claimName"] for one in volumes if "persistentVolumeClaim" in one}
    assert claims == set(deploy.objects("PersistentVolumeClaim"))
