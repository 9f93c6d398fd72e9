"""Customer tokens: what a shop's back end signs in PHP, Node or Python is what the server accepts, and nothing else."""

import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api import create_app
from api.security.customer_tokens import CLOCK_SKEW_S, HEADER, read_customer
from recommender.errors import UnauthorizedError
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import add_key, add_publishable_key, bearer, customer_token, key_id
from tests.support.small_shop import NOW

TTL_S = 900
SAMPLES = Path(__file__).parents[3] / "samples"
STRANGE_IDS = ["ANNA", "x/y", "käse 🧀", "line\nline\r\n", "a.b.c", "'\"$`", "0", "x" * 512]
RUN_NODE = """
import {{ customerToken }} from '{file}';
process.stdout.write(customerToken(process.argv[1], process.argv[2]));
"""
RUN_PYTHON = """
import runpy, sys
sys.stdout.write(runpy.run_path('{file}')['customer_token'](*sys.argv[1:]))
"""
PROGRAMS = {
    "customer_token.php": ["php", "-r", "require '{file}'; echo customer_token($argv[1], $argv[2]);", "--"],
    "customer_token.mjs": ["node", "--input-type=module", "-e", RUN_NODE],
    "customer_token.py": [sys.executable, "-c", RUN_PYTHON],
}
"""How each sample is called; key and customer_id follow."""


@pytest.fixture
def storage() -> MemoryShopStorage:
    store = MemoryVersionStore()
    store.publish(small_shop.publication(), keep=3)
    return MemoryShopStorage({"default": store})


@pytest.fixture
def secret(storage) -> str:
    return add_key(storage, "read")


@pytest.fixture
def client(storage, secret) -> FlaskClient:
    return create_app(Settings(), storage, lambda: NOW).test_client()


@pytest.fixture
def read(storage):
    """Read a token at NOW, for the shop `default`."""
    return lambda token, shop="default": read_customer(token, storage.api_keys(), shop, NOW, TTL_S)


class TestSamples:
    @pytest.mark.parametrize("name", PROGRAMS)
    def test_the_server_accepts_what_the_sample_signs(self, storage, secret, name):
        program = [word.format(file=SAMPLES / name) for word in PROGRAMS[name]]
        if shutil.which(program[0]) is None:
            pytest.skip(f"{program[0]} is not on PATH")
        client = create_app(Settings(), storage).test_client()  # the sample signs by the machine's clock
        public = add_publishable_key(storage)
        signed = {}
        for customer_id in STRANGE_IDS:
            command = [*program, secret, customer_id]
            signed[customer_id] = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert signed.keys() == set(STRANGE_IDS)
        for customer_id, token in signed.items():
            body = {"placement": "home", "customer_id": customer_id}
            answer = client.post("/v1/recommendations", json=body, headers=bearer(public, token))
            assert answer.status_code == 200, answer.text
            other = client.post("/v1/recommendations", json={**body, "customer_id": "z"}, headers=bearer(public, token))
            assert other.status_code == 403

    @pytest.mark.parametrize("name", PROGRAMS)
    def test_the_page_shows_the_sample(self, name):
        assert (SAMPLES / name).read_text() in (SAMPLES.parents[1] / "api/README.md").read_text()

    def test_all_samples_are_run(self):
        assert {path.name for path in SAMPLES.iterdir() if path.is_file()} == set(PROGRAMS)


class TestReading:
    @pytest.mark.parametrize("customer_id", STRANGE_IDS)
    def test_a_token_names_its_customer(self, read, secret, customer_id):
        assert read(customer_token(secret, customer_id)) == customer_id

    def test_a_token_fits_into_a_header(self, secret):
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", customer_token(secret, "käse 🧀\n"))

    @pytest.mark.parametrize("age_s", [-CLOCK_SKEW_S, -1, 0, TTL_S, TTL_S + CLOCK_SKEW_S])
    def test_it_is_good_for_its_time_and_a_minute_on_either_side(self, read, secret, age_s):
        assert read(customer_token(secret, "ANNA", NOW - timedelta(seconds=age_s))) == "ANNA"

    @pytest.mark.parametrize("age_s", [-CLOCK_SKEW_S - 1, -86_400, TTL_S + CLOCK_SKEW_S + 1, 86_400])
    def test_before_and_after_it_is_not(self, read, secret, age_s):
        token = customer_token(secret, "ANNA", NOW - timedelta(seconds=age_s))
        with pytest.raises(UnauthorizedError, match="expired"):
            read(token)

    def test_the_time_to_live_is_a_setting(self, storage, secret):
        client = create_app(Settings(customer_token_ttl_s=10), storage, lambda: NOW).test_client()
        public = add_publishable_key(storage)
        statuses = [
            client.get(
                "/v1/customers/ANNA/buy-again",
                headers=bearer(public, customer_token(secret, "ANNA", NOW - timedelta(seconds=age_s))),
            ).status_code
            for age_s in (10 + CLOCK_SKEW_S, 11 + CLOCK_SKEW_S)
        ]
        assert statuses == [200, 401]

    @pytest.mark.parametrize("token", [None, "", ".", "...", "a.b.c.d", "é", "\0", "x" * 10_000])
    def test_what_is_no_token_is_refused(self, read, token):
        with pytest.raises(UnauthorizedError, match=HEADER):
            read(token)

    def test_no_part_of_a_token_can_be_changed(self, read, secret):
        token = customer_token(secret, "ANNA")
        for at, letter in enumerate(token[:-1]):  # the last letter holds bits that stand for nothing
            with pytest.raises(UnauthorizedError):
                read(token[:at] + ("A" if letter != "A" else "B") + token[at + 1 :])

    def test_one_of_another_purpose_is_refused(self, read, secret):
        with pytest.raises(UnauthorizedError, match="not signed"):
            read(customer_token(secret, "ANNA", salt="itsdangerous.Signer"))

    def test_only_a_secret_key_of_the_shop_that_may_read_signs(self, storage, read, secret):
        for key in (
            add_publishable_key(storage),
            add_key(storage, "events", "admin"),
            add_key(storage, "read", shop="other"),
        ):
            with pytest.raises(UnauthorizedError, match="no key of this shop"):
                read(customer_token(key, "ANNA"))
        with pytest.raises(UnauthorizedError, match="no key of this shop"):
            read(customer_token(secret, "ANNA"), shop="other")

    def test_a_revoked_key_takes_its_tokens_with_it(self, storage, read, secret):
        token = customer_token(secret, "ANNA")
        storage.add_api_key(storage.api_keys()[key_id(secret)].revoke(NOW))
        with pytest.raises(UnauthorizedError):
            read(token)
        with pytest.raises(UnauthorizedError):
            read(forged_with_the_empty_digest(secret))


def forged_with_the_empty_digest(key: str) -> str:
    """What anyone could sign if a revoked key, which has no digest, still counted."""
    from itsdangerous import TimestampSigner

    return TimestampSigner("", "reprise.customer-token", key_derivation="hmac").sign(f"{key_id(key)}.QU5OQQ").decode()


class TestSessions:
    """POST /v1/recommendations names its customer in the body."""

    def test_without_a_customer_no_token_is_needed_nor_read(self, client, storage):
        headers = bearer(add_publishable_key(storage), "not a token")
        client.application.extensions["reprise"].shops.follow()
        assert client.post("/v1/recommendations", json={"placement": "home"}, headers=headers).status_code == 200

    def test_a_refusal_tells_nothing_of_the_customer(self, client, storage):
        public = add_publishable_key(storage)
        client.application.extensions["reprise"].shops.follow()
        answers = [
            client.post("/v1/recommendations", json={"placement": "home", "customer_id": name}, headers=bearer(public))
            for name in ("ANNA", "nobody")
        ]
        known, unknown = ({**answer.json, "request_id": ""} for answer in answers)
        assert (answers[0].status_code, known) == (401, unknown)
