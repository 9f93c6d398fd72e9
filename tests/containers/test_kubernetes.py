"""The pods of `api/deploy/kubernetes`, run by `podman kube play`, with their probes; a rolling update under load."""

import itertools
import secrets
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.support import deploy_files as deploy
from tests.support.compose import write_shop
from tests.support.kube import Cluster, Pod, cluster
from tests.support.load import Answer, ask
from tests.support.podman import Podman
from tests.support.redis_servers import wait_until

pytestmark = [
    pytest.mark.containers,
    pytest.mark.slow,
    pytest.mark.timeout(1800),  # the images are built within the first test
    pytest.mark.xdist_group("containers"),
]
DEPLOYMENTS, CRONJOBS = deploy.objects("Deployment"), deploy.objects("CronJob")
PAGES = ["/v1/popular", "/v1/customers/C00001/recommendations?limit=3"]
PATIENCE_S = 180.0


@dataclass(frozen=True)
class Shop:
    """A shop in a cluster.

    Attributes:
        before: which probes of the service passed before there was a version.
        trained: the trainer's exit code.
        headers: with a key to read and to erase.
    """

    cluster: Cluster
    api: Pod
    before: dict[str, bool]
    trained: int
    headers: dict[str, str]


@pytest.fixture(scope="module")
def shop(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    name = f"reprise-test-{secrets.token_hex(4)}"
    with cluster(podman, tmp_path_factory.mktemp("pods"), name) as made:
        write_shop(made.volume("reprise-purchases"))
        shell = made.play(deploy.objects("Pod")["reprise-shell"], "reprise-shell")
        key = shell.exec("reprise", "keys", "create", "--scope", "read", "--scope", "admin")
        api = made.play(DEPLOYMENTS["reprise-api"], "reprise-api-1")
        wait_until(lambda: api.probe("livenessProbe"), "the service lives", PATIENCE_S)
        before = {probe: api.probe(probe) for probe in ("startupProbe", "livenessProbe")}
        trained = made.play(CRONJOBS["reprise-trainer"], "reprise-trainer").wait()
        yield Shop(made, api, before, trained, {"Authorization": f"Bearer {key}"})


def whole(answer: Answer) -> bool:
    """Whether a page was answered from the version, and not from a fallback."""
    assert answer.status == 200
    return answer.json["fallback"] is None


def test_a_pod_becomes_ready_with_the_first_version(shop: Shop) -> None:
    assert shop.before == {"startupProbe": False, "livenessProbe": True}
    assert shop.trained == 0
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        wait_until(lambda name=probe: shop.api.probe(name), f"{probe} passes", PATIENCE_S)  # type: ignore[misc]
    for page in PAGES:
        # where the machine is busy, a late answer of Redis is a fallback for a moment
        wait_until(lambda page=page: whole(ask(shop.api.address, page, headers=shop.headers)), page, PATIENCE_S)  # type: ignore[misc]
    assert ask(shop.api.address, PAGES[0]).status == 401


def test_nobody_is_root_and_the_root_file_system_is_read_only(shop: Shop) -> None:
    assert shop.api.exec("id", "-u") == "10001"
    root = next(line for line in shop.api.exec("cat", "/proc/mounts").splitlines() if line.split()[1] == "/")
    assert "ro" in root.split()[3].split(",")
    assert "CapEff:\t0000000000000000" in shop.api.exec("cat", "/proc/1/status")


def test_who_is_erased_is_remembered_beside_redis(shop: Shop) -> None:
    answer = ask(shop.api.address, "/v1/customers/C00002", "DELETE", headers=shop.headers)
    assert answer.status == 200, answer.body
    shop.api.exec("test", "-s", "/var/lib/reprise/suppressions/default.sqlite")


def test_the_worker_lives(shop: Shop) -> None:
    worker = shop.cluster.play(DEPLOYMENTS["reprise-worker"], "reprise-worker-1")
    wait_until(lambda: worker.probe("livenessProbe"), "the worker's probe passes", PATIENCE_S)
    # the kernel keeps from a first process the signals that it does not handle yet
    wait_until(lambda: signal.SIGTERM in handled(worker), "the worker has begun", PATIENCE_S)
    assert worker.stop() == 0


def handled(pod: Pod) -> set[int]:
    """The signals for which the container's first process has a handler."""
    status = pod.exec("cat", "/proc/1/status")
    mask = int(status.partition("SigCgt:")[2].split()[0], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


def test_the_picks_of_a_week_come_into_the_volume_of_the_purchases(shop: Shop) -> None:
    purchases = shop.cluster.volume("reprise-purchases")
    purchases.chmod(0o777)  # a cluster gives it to the pod's group: fsGroup
    assert shop.cluster.play(CRONJOBS["reprise-picks"], "reprise-picks").wait() == 0
    (picks,) = purchases.glob("picks-*.csv")
    assert picks.read_text().startswith("customer_id,campaign_id,")


@contextmanager
def asked(pods: list[Pod], headers: dict[str, str]) -> Iterator[list[Answer]]:
    """Requests to the pods that stand in the list when each begins, as a Service sends them, until the block ends."""
    answers: list[Answer] = []
    over = threading.Event()

    def ask_on() -> None:
        for n, page in enumerate(itertools.cycle(PAGES)):
            answers.append(ask(pods[n % len(pods)].address, page, headers=headers))
            if over.wait(0.01):
                return

    threads = [threading.Thread(target=ask_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_rolling_update_answers_every_request(shop: Shop) -> None:
    endpoints = [shop.api]
    with asked(endpoints, shop.headers) as answers:
        new = shop.cluster.play(DEPLOYMENTS["reprise-api"], "reprise-api-2")
        wait_until(lambda: new.probe("startupProbe") and new.probe("readinessProbe"), "it is ready", PATIENCE_S)
        endpoints[:] = [new]
        seen = len(answers)
        # preStop: until every proxy knows; here, until each thread has begun a request to the new pod
        wait_until(lambda: len(answers) > seen + 20, "the new pod is asked", PATIENCE_S)
        assert shop.api.stop() == 0
        seen = len(answers)
        wait_until(lambda: len(answers) > seen + 100, "the new pod answers alone", PATIENCE_S)
    print(Counter(answer.status for answer in answers))
    assert {answer.status for answer in answers} == {200}
