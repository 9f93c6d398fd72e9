"""What the container files say about Reprise: no test runs them, but the code can be asked whether it is true."""

import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import click
import pytest
from pydantic import SecretStr

from api.commands.serve import STOP_TIMEOUT_S
from recommender.cli import EXIT_CODES, reprise
from recommender.errors import SettingsError
from recommender.settings import Settings, load_settings
from tests import deploy_files as deploy

PROJECT = tomllib.loads((deploy.ROOT / "pyproject.toml").read_text())
SECRETS = {
    f"REPRISE_{name.upper()}"
    for name, field in Settings.model_fields.items()
    if SecretStr in get_args(field.annotation)
}
SECRET_EXAMPLE = deploy.objects("Secret")["reprise"]["stringData"]


# --- settings and secrets


@pytest.mark.parametrize("path", deploy.FILES, ids=lambda path: path.name)
def test_every_variable_is_a_setting(path):
    named = set(re.findall(r"\bREPRISE_[A-Z_]+\b", path.read_text()))
    # the name of one that Kubernetes would make up; that it does not is a test of its own
    named -= {"REPRISE_API_PORT"}
    assert not [
        name for name in named if name.removeprefix("REPRISE_").split("__")[0].lower() not in Settings.model_fields
    ]


def _environments() -> dict[str, dict[str, str]]:
    compose = {f"compose {name}": service["environment"] for name, service in deploy.OURS.items()}
    pods = {
        f"pod {name}": {
            one["name"]: one["value"] if "value" in one else SECRET_EXAMPLE[one["name"]] for one in container["env"]
        }
        for name, container in deploy.CONTAINERS.items()
    }
    return compose | pods


@pytest.mark.parametrize("name", _environments())
def test_the_environment_of_a_container_makes_settings(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for variable, value in (deploy.IMAGE_ENV | _environments()[name]).items():
        if variable.startswith("REPRISE_"):
            monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert settings.redis_url is not None
    assert settings.home == Path("/var/lib/reprise")


def test_variables_that_kubernetes_would_make_up_are_turned_off_as_they_would_be_refused(monkeypatch):
    (service,) = deploy.objects("Service")
    monkeypatch.setenv(f"{service.upper().replace('-', '_')}_PORT", "tcp://10.0.0.1:80")
    with pytest.raises(SettingsError, match="is not a setting"):
        load_settings()
    assert [pod["spec"]["enableServiceLinks"] for pod in deploy.PODS.values()] == [False] * 3


def test_secrets_come_from_the_secret_whose_example_holds_placeholders():
    assert "REPRISE_REDIS_URL" in set(SECRET_EXAMPLE) <= SECRETS
    address = urlsplit(SECRET_EXAMPLE["REPRISE_REDIS_URL"])
    assert {address.username, address.password, address.hostname} == {"CHANGE-ME", "change-me"}
    for container in deploy.CONTAINERS.values():
        secret = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in container["env"] if one["name"] in SECRETS}
        assert secret == {name: {"name": "reprise", "key": name} for name in SECRET_EXAMPLE}


def test_applying_the_folder_leaves_the_real_secret_alone():
    applied = [path for path in deploy.MANIFESTS if path.suffix in {".yaml", ".yml", ".json"}]
    assert len(applied) > 5
    assert not [path.name for path in applied if "kind: Secret" in path.read_text()]


def test_no_secret_is_in_the_image_or_in_compose():
    assert not SECRETS & set(deploy.IMAGE_ENV)
    assert not deploy.instructions("ARG")
    for service in deploy.OURS.values():
        assert urlsplit(service["environment"]["REPRISE_REDIS_URL"]).password is None


# --- the image


def test_what_is_copied_exists_and_is_not_ignored():
    lines = (deploy.ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    for source in deploy.copied():
        assert (deploy.ROOT / source).exists(), source
        last = [pattern for pattern in patterns if fnmatch(source, pattern.removeprefix("!"))][-1]
        assert last.startswith("!"), f"{source} is ignored by {last}"


def test_all_that_is_packaged_is_copied():
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    read = [PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]]
    assert set(deploy.copied()) == {"pyproject.toml", *packages, *read}


@pytest.mark.parametrize("image", sorted(set(deploy.images())))
def test_every_image_has_the_tag_of_a_version(image):
    name, _, tag = image.partition(":")
    assert re.match(r"\d+\.\d+", tag)
    assert name != "reprise" or tag == PROJECT["project"]["version"]


def test_compose_builds_this_image():
    for service in deploy.OURS.values():
        context = deploy.DEPLOY / service["build"]["context"]
        assert context.samefile(deploy.ROOT)
        assert (context / service["build"]["dockerfile"]).samefile(deploy.DEPLOY / "Dockerfile")


@contextmanager
def _server(status: int) -> Iterator[tuple[int, list[str]]]:
    """The port of a server that answers everything with `status`, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_of_the_image_believes_the_status(status, healthy):
    python, *words = deploy.HEALTHCHECK
    assert python == "python"
    with _server(status) as (port, asked):
        run = subprocess.run([sys.executable, *words], env={"REPRISE_PORT": str(port)}, check=False)
    assert ((run.returncode == 0), asked) == (healthy, ["/health/live"])


# --- rights


def test_nobody_is_root():
    (user,) = deploy.instructions("USER")
    uid, gid = (int(word) for word in user.split(":"))
    assert uid > 0 < gid
    assert f"-o {uid} -g {gid} {deploy.IMAGE_ENV['REPRISE_HOME']} " in " ".join(deploy.instructions("RUN"))
    for service in deploy.SERVICES.values():
        assert int(service.get("user", user).split(":")[0]) > 0
    for pod in deploy.PODS.values():
        context = pod["spec"]["securityContext"]
        assert (context["runAsNonRoot"], context["runAsUser"], context["runAsGroup"]) == (True, uid, gid)


def test_no_root_file_system_is_writable_and_no_capability_is_kept():
    for service in deploy.SERVICES.values():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    for container in deploy.CONTAINERS.values():
        context = container["securityContext"]
        assert (context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"]) == (True, False)
        assert context["capabilities"] == {"drop": ["ALL"]}


def test_what_must_be_writable_is_mounted():
    home, metrics = deploy.IMAGE_ENV["REPRISE_HOME"], deploy.IMAGE_ENV["PROMETHEUS_MULTIPROC_DIR"]
    for service in deploy.OURS.values():
        assert {one.split(":")[0] for one in service["tmpfs"]} == {metrics, "/tmp"}
    assert f"home:{home}" in deploy.OURS["trainer"]["volumes"]
    mounts = {
        name: {one["mountPath"] for one in pod.get("volumeMounts", ())} for name, pod in deploy.CONTAINERS.items()
    }
    assert mounts == {"api": {metrics, "/tmp"}, "trainer": {home, "/tmp", "/data"}, "shell": set()}


def test_only_this_machine_reaches_what_compose_starts():
    assert [port.rpartition(":")[0] for port in deploy.SERVICES["api"]["ports"]] == ["127.0.0.1:8000"]
    assert "ports" not in deploy.SERVICES["valkey"]
    assert deploy.SERVICES["valkey"]["networks"] == deploy.SERVICES["trainer"]["networks"] == ["store"]
    assert deploy.COMPOSE["networks"]["store"]["internal"]


# --- commands, routes, ports


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


def test_claimed_volumes_are_declared():
    volumes = deploy.PODS["trainer"]["spec"]["volumes"]
    claims = {one["persistentVolumeClaim"]["claimName"] for one in volumes if "persistentVolumeClaim" in one}
    assert claims == set(deploy.objects("PersistentVolumeClaim"))
