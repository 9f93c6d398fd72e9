"""What the container files say about Reprise: the code is asked whether it is true. `tests/containers` runs them."""

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

import pytest
from pydantic import SecretStr

from recommender.data_dir import DataDirectory
from recommender.errors import SettingsError
from recommender.settings import CONFIG_VARIABLE, MailSettings, Settings, load_settings
from tests.support import deploy_files as deploy

PROJECT = tomllib.loads((deploy.ROOT / "pyproject.toml").read_text())
SECRETS = {
    f"REPRISE_{table}{name.upper()}"
    for table, settings in (("", Settings), ("MAIL__", MailSettings))
    for name, field in settings.model_fields.items()
    if SecretStr in get_args(field.annotation)
}
SECRET_EXAMPLE = deploy.objects("Secret")["reprise"]["stringData"]


# --- settings and secrets


@pytest.mark.parametrize("path", deploy.FILES, ids=lambda path: path.name)
def test_every_variable_is_a_setting(path):
    named = set(re.findall(r"\bREPRISE_[A-Z_]+\b", path.read_text()))
    # the name of one that Kubernetes would make up; that it does not is a test of its own
    named -= {"REPRISE_API_PORT", CONFIG_VARIABLE}
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
        # compose takes those without a value from the shell, where they are set
        if variable.startswith("REPRISE_") and value is not None:
            monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert settings.redis_url is not None
    assert settings.home == Path("/var/lib/reprise")


def test_variables_that_kubernetes_would_make_up_are_turned_off_as_they_would_be_refused(monkeypatch):
    (service,) = deploy.objects("Service")
    monkeypatch.setenv(f"{service.upper().replace('-', '_')}_PORT", "tcp://10.0.0.1:80")
    with pytest.raises(SettingsError, match="is not a setting"):
        load_settings()
    assert [pod["spec"]["enableServiceLinks"] for pod in deploy.PODS.values()] == [False] * 5


def test_secrets_come_from_the_secret_whose_example_holds_placeholders():
    assert "REPRISE_REDIS_URL" in set(SECRET_EXAMPLE) <= SECRETS
    address = urlsplit(SECRET_EXAMPLE["REPRISE_REDIS_URL"])
    assert {address.username, address.password, address.hostname} == {"CHANGE-ME", "change-me"}
    assert all("change-me" in value.lower() for value in SECRET_EXAMPLE.values())
    for container in deploy.CONTAINERS.values():
        for one in container["env"]:
            if one["name"] in SECRETS:
                secret = one["valueFrom"]["secretKeyRef"]
                assert (secret["name"], secret["key"]) == ("reprise", one["name"])
                assert secret.get("optional", False) == (one["name"] != "REPRISE_REDIS_URL")


def test_who_makes_or_answers_links_in_mails_has_their_secret():
    pods = {name: {one["name"] for one in pod["env"]} for name, pod in deploy.CONTAINERS.items()}
    assert {name for name, names in pods.items() if "REPRISE_REDIS_URL" in names} == set(deploy.PODS)
    assert {name for name, names in pods.items() if "REPRISE_MAIL__SECRET" in names} == {"api", "worker", "picks"}
    services = {name for name, one in deploy.OURS.items() if "REPRISE_MAIL__SECRET" in one["environment"]}
    assert services == {"api", "worker", "mailer"}
    assert [name for name, one in deploy.OURS.items() if "REPRISE_SMTP_PASSWORD" in one["environment"]] == ["mailer"]


def test_applying_the_folder_leaves_the_real_secret_alone():
    applied = [path for path in deploy.MANIFESTS if path.suffix in {".yaml", ".yml", ".json"}]
    assert len(applied) > 5
    assert not [path.name for path in applied if "kind: Secret" in path.read_text()]


def test_no_secret_is_in_the_image_or_in_compose():
    assert not SECRETS & set(deploy.IMAGE_ENV)
    assert not deploy.instructions("ARG")
    for service in deploy.OURS.values():
        assert urlsplit(service["environment"]["REPRISE_REDIS_URL"]).password is None
        assert service["environment"].get("REPRISE_MAIL__SECRET") is None


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
    assert set(deploy.copied()) == {"pyproject.toml", "requirements.lock", *packages, *read}


def test_the_image_of_the_service_is_without_what_the_service_must_not_load():
    (removed,) = [rest.split() for rest in deploy.instructions("RUN") if " uninstall " in rest]
    lines = (deploy.ROOT / "pyproject.toml").read_text().partition("# the offline job\n")[2].partition("]")[0]
    offline = set(re.findall(r'"([a-z-]+)', lines))
    assert {"implicit", "optuna", "polars"} < offline < set(removed)
    assert not {re.match("[a-z-]+", one)[0] for one in PROJECT["project"]["dependencies"]} & set(removed) - offline


def test_the_whole_image_has_the_extras_of_the_offline_job():
    (extras,) = [rest for rest in deploy.instructions("RUN") if "optional-dependencies" in rest]
    assert (
        set(re.findall(r"extras\['(\w+)'\]", extras))
        == {"excel", "sql"}
        < set(PROJECT["project"]["optional-dependencies"])
    )
    assert "--constraint requirements.lock" in extras
    lock = (deploy.ROOT / "requirements.lock").read_text().lower()
    wanted = [one for name in ("excel", "sql") for one in PROJECT["project"]["optional-dependencies"][name]]
    assert [one for one in wanted if f"\n{re.match('[a-z-]+', one)[0]}==" not in f"\n{lock}"] == []


def test_the_service_has_its_own_image_and_all_else_the_whole_one():
    images = {name: one["image"] for name, one in (deploy.OURS | deploy.CONTAINERS).items()}
    small = {name for name, image in images.items() if image.startswith("reprise-service:")}
    assert small == {"api", "shell"}
    targets = {name: one["build"].get("target") for name, one in deploy.OURS.items()}
    assert {name for name, target in targets.items() if target == "service"} == {"api"}


@pytest.mark.parametrize("image", sorted(set(deploy.images())))
def test_every_image_has_the_tag_of_a_version(image):
    name, _, tag = image.partition(":")
    assert re.match(r"\d+\.\d+", tag)
    assert name not in {"reprise", "reprise-service"} or tag == PROJECT["project"]["version"]


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
    for container in (*deploy.CONTAINERS.values(), *deploy.BEFORE.values()):
        context = container["securityContext"]
        assert (context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"]) == (True, False)
        assert context["capabilities"] == {"drop": ["ALL"]}


def test_what_must_be_writable_is_mounted():
    home = deploy.IMAGE_ENV["REPRISE_HOME"]
    for service in deploy.OURS.values():
        assert {one.split(":")[0] for one in service["tmpfs"]} == {"/tmp"}
    assert [name for name, service in deploy.OURS.items() if f"home:{home}" not in service["volumes"]] == []
    mounts = {
        name: {one["mountPath"] for one in pod.get("volumeMounts", ())} for name, pod in deploy.CONTAINERS.items()
    }
    assert mounts == {
        "api": {home, "/tmp"},
        "worker": {home, "/tmp"},
        "trainer": {home, "/tmp", "/data"},
        "picks": {home, "/tmp", "/data"},
        "shell": {home},
    }


def test_every_service_reads_the_settings_that_are_mounted_where_it_works():
    works_in = deploy.instructions("WORKDIR")[-1]
    for service in deploy.OURS.values():
        (mounted,) = [one for one in service["volumes"] if isinstance(one, dict) and one["target"] == works_in]
        assert (mounted["source"], mounted["read_only"]) == ("./settings", True)


def test_the_mailer_reaches_a_mail_server_and_is_only_run_when_asked_for():
    mailer = deploy.OURS["mailer"]
    assert (mailer["profiles"], mailer["networks"]) == (["mail"], ["store", "front"])
    assert not (deploy.COMPOSE["networks"]["front"] or {}).get("internal", False)
    assert "/data" in {one["target"] for one in mailer["volumes"] if isinstance(one, dict)}


def test_the_trainer_learns_from_what_the_worker_archives():
    ledger = str(DataDirectory(Path(deploy.IMAGE_ENV["REPRISE_HOME"])).ledger)
    words = deploy.commands()["pod trainer"]
    assert words[words.index("--ledger") + 1] == ledger
    # it must be there before the first event: compose copies it from the image, a pod makes it
    assert ledger in " ".join(deploy.instructions("RUN")).split()
    assert deploy.BEFORE["trainer ledger"]["command"] == ["mkdir", "-p", ledger]
    for name in ("worker", "trainer"):
        (home,) = [one for one in deploy.PODS[name]["spec"]["volumes"] if one["name"] == "home"]
        assert home["persistentVolumeClaim"] == {"claimName": "reprise-home"}
    assert deploy.objects("PersistentVolumeClaim")["reprise-home"]["spec"]["accessModes"] == ["ReadWriteMany"]


def test_only_this_machine_reaches_what_compose_starts():
    assert [port.rpartition(":")[0] for port in deploy.SERVICES["api"]["ports"]] == ["127.0.0.1:8000"]
    assert "ports" not in deploy.SERVICES["valkey"]
    assert deploy.SERVICES["valkey"]["networks"] == deploy.SERVICES["trainer"]["networks"] == ["store"]
    assert deploy.COMPOSE["networks"]["store"]["internal"]
