"""The manifests of `api/deploy/kubernetes`, played by podman; what a cluster would add is done here.

Podman makes pods, containers and volumes of them. It knows neither jobs nor Services, and turns no probe into one that
works, so probes are made here as a kubelet makes them: over HTTP to the pod, or by a command in its container.
"""

import base64
import copy
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support import deploy_files as deploy
from tests.support.podman import VALKEY, Podman
from tests.support.redis_servers import wait_until

_SECRET = {"REPRISE_REDIS_URL": "redis://valkey:6379/0", "REPRISE_MAIL__SECRET": "a secret of thirty-two characters"}
_VOLUMES = tuple(deploy.objects("PersistentVolumeClaim"))


@dataclass(frozen=True)
class Pod:
    """A pod that was played, with one container.

    Attributes:
        spec: the container's, of the manifest.
        container: its id.
        address: host and port of what it serves.
    """

    podman: Podman
    spec: dict[str, Any]
    container: str
    address: tuple[str, int]

    def exec(self, *words: str) -> str:
        """What a command in the container prints; it must end with 0."""
        return self.podman("exec", self.container, *words)

    def probe(self, name: str) -> bool:
        """Whether a probe of the manifest passes, as a kubelet sees it."""
        probe = self.spec[name]
        if "exec" in probe:
            command = ["podman", "exec", self.container, *probe["exec"]["command"]]
            return self.podman.run(command).returncode == 0
        connection = http.client.HTTPConnection(*self.address, timeout=probe["timeoutSeconds"])
        try:
            connection.request("GET", probe["httpGet"]["path"])
            return 200 <= connection.getresponse().status < 400
        except OSError:
            return False
        finally:
            connection.close()

    def wait(self) -> int:
        """The exit code of a container that ends."""
        return int(self.podman("wait", self.container))

    def stop(self) -> int:
        """SIGTERM, and SIGKILL where it takes longer than the manifest allows; the exit code."""
        self.podman("stop", "--time", "45", self.container)
        return self.wait()


class Cluster:
    """A network with a Valkey in it, volumes and the Secret."""

    def __init__(self, podman: Podman, folder: Path, network: str) -> None:
        self.podman, self.folder, self.network = podman, folder, network

    def play(self, document: dict[str, Any], name: str) -> Pod:
        """Start the pod of a Pod, Deployment or CronJob under another name."""
        template = copy.deepcopy(_template(document))
        (spec,) = template["spec"]["containers"]
        # podman would take this port of the machine, too; a cluster does not
        ports = [port["containerPort"] for port in spec.pop("ports", ())] or [0]
        pod = {**template, "apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": name}}
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(pod))
        self.podman("kube", "play", "--network", self.network, path)
        return Pod(self.podman, spec, f"{name}-{spec['name']}", (self._address(name), ports[0]))

    def volume(self, name: str) -> Path:
        """Where a volume's files are."""
        return Path(self.podman("volume", "inspect", "--format", "{{.Mountpoint}}", name))

    def _address(self, pod: str) -> str:
        infra = self.podman("pod", "inspect", "--format", "{{.InfraContainerID}}", pod)
        return self.podman("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", infra)


def _template(document: dict[str, Any]) -> dict[str, Any]:
    """The pod that an object starts."""
    if document["kind"] == "Pod":
        return document
    spec = document["spec"]
    return (spec["jobTemplate"]["spec"] if document["kind"] == "CronJob" else spec)["template"]  # type: ignore[no-any-return]


@contextmanager
def cluster(podman: Podman, folder: Path, name: str) -> Iterator[Cluster]:
    """A cluster in which no pod runs yet; nothing is left of it after the block."""
    there = set(podman("volume", "ls", "--format", "{{.Name}}").split()) & set(_VOLUMES)
    assert not there, f"volumes of another run, or yours: `podman volume rm {' '.join(there)}` where nobody needs them"
    podman("network", "create", name)
    try:
        network = f"{name}:alias=valkey"
        podman("run", "--detach", "--name", f"{name}-valkey", "--network", network, VALKEY, "valkey-server")
        podman("kube", "play", deploy.DEPLOY / "kubernetes" / "volumes.yaml")
        secret = {key: base64.b64encode(value.encode()).decode() for key, value in _SECRET.items()}
        podman("secret", "create", "reprise", "-", text=json.dumps(secret))
        wait_until(lambda: podman("exec", f"{name}-valkey", "valkey-cli", "ping") == "PONG", "Valkey answers")
        yield Cluster(podman, folder, name)
    finally:
        for pod in podman("pod", "ls", "--quiet", "--filter", f"network={name}").split():
            podman("pod", "rm", "--force", "--time", "1", pod)
        podman("rm", "--force", "--time", "1", f"{name}-valkey")
        podman("secret", "rm", "reprise")
        podman("volume", "rm", "--force", *_VOLUMES)
        podman("network", "rm", "--force", name)
