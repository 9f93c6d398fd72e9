"""Reads the container files of `api/deploy` as data."""

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "api" / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
MANIFESTS = sorted((DEPLOY / "kubernetes").iterdir())

Words = list[str]


def instructions(name: str) -> list[str]:
    """What follows each instruction `name` of the Dockerfile, continued lines joined."""
    lines = [line for line in (DEPLOY / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in joined.splitlines() if line.split(maxsplit=1)[:1] == [name]]


def exec_form(text: str) -> Words:
    """The words of `["…", "…"]`, which stands at the end of `text`."""
    return yaml.safe_load(text[text.index("[") :])


IMAGE_ENV = dict(word.split("=", 1) for word in shlex.split(instructions("ENV")[0]))
ENTRYPOINT = exec_form(instructions("ENTRYPOINT")[0])
HEALTHCHECK = exec_form(instructions("HEALTHCHECK")[0])

COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("reprise")}
"""Services of compose that run the image."""

OBJECTS = [found for path in MANIFESTS for found in yaml.safe_load_all(path.read_text())]


def objects(kind: str) -> dict[str, Any]:
    """The Kubernetes objects of one kind, by name."""
    return {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] == kind}


JOB = objects("CronJob")["reprise-trainer"]["spec"]["jobTemplate"]["spec"]
PODS: dict[str, Any] = {
    "api": objects("Deployment")["reprise-api"]["spec"]["template"],
    "worker": objects("Deployment")["reprise-worker"]["spec"]["template"],
    "trainer": JOB["template"],
    "picks": objects("CronJob")["reprise-picks"]["spec"]["jobTemplate"]["spec"]["template"],
    "shell": objects("Pod")["reprise-shell"],
}
"""The pods that the objects start."""
CONTAINERS = {name: pod["spec"]["containers"][0] for name, pod in PODS.items()}
BEFORE: dict[str, Any] = {
    f"{name} {one['name']}": one for name, pod in PODS.items() for one in pod["spec"].get("initContainers", ())
}
"""The containers that run before those."""


def images() -> list[str]:
    """Every image that is built on or run."""
    stages = {rest.split()[2] for rest in instructions("FROM") if " AS " in rest}
    bases = [rest.split()[0] for rest in instructions("FROM")]
    run = [one["image"] for one in (*SERVICES.values(), *CONTAINERS.values(), *BEFORE.values())]
    return [base for base in bases if base not in stages] + run


def copied() -> list[str]:
    """What the image takes from the repository."""
    return [source for rest in instructions("COPY") if not rest.startswith("--from=") for source in rest.split()[:-1]]


def commands() -> dict[str, Words]:
    """Every command line of Reprise, without `reprise`, by where it stands."""
    started = {"image": exec_form(instructions("CMD")[0])}
    started |= {f"compose {name}": service["command"] for name, service in OURS.items()}
    started |= {f"pod {name}": one["args"] for name, one in CONTAINERS.items() if "command" not in one}
    started |= {f"script of pod {name}": _script(one) for name, one in CONTAINERS.items() if "exec reprise" in str(one)}
    told = re.compile(r"^#.*(?:run --rm api|-- reprise) ([^#\n]+)", re.MULTILINE)
    return started | {
        f"{path.name}: {line.strip()}": shlex.split(line) for path in FILES for line in told.findall(path.read_text())
    }


def _script(container: dict[str, Any]) -> Words:
    """The words that the shell gives to Reprise, names of variables in place of their values."""
    shell, option, script = container["command"]
    assert (shell, option) == ("sh", "-c")
    return shlex.split(script.partition("exec reprise ")[2].replace("$", ""))
