import hashlib
import re
from datetime import datetime, timedelta, timezone

import pytest

from recommender.errors import UsageError
from recommender.storage.api_keys import ApiKey, digest_of, make_api_key
from tests.support.small_shop import NOW


def make(**given) -> tuple[str, ApiKey]:
    plain = {"shop": "a", "kind": "secret", "scopes": ("read",), "origins": (), "created_at": NOW}
    return make_api_key(**{**plain, **given})


class TestMaking:
    @pytest.mark.parametrize(("kind", "prefix"), [("secret", "sk"), ("publishable", "pk")])
    def test_a_key_names_its_id_and_has_256_bits_of_chance(self, kind, prefix):
        key, kept = make(kind=kind)
        assert re.fullmatch(rf"{prefix}_{kept.key_id}_[0-9a-f]{{64}}", key)
        assert re.fullmatch(r"[0-9a-f]{16}", kept.key_id)

    def test_only_a_digest_is_kept(self):
        key, kept = make()
        assert kept.digest == hashlib.sha256(key.encode()).hexdigest() == digest_of(key)
        assert key.split("_")[2] not in repr(kept)

    def test_the_digest_is_not_shown_by_accident(self):
        _, kept = make()
        assert kept.digest not in repr(kept)

    def test_no_two_are_alike(self):
        assert len({make()[0].split("_")[part] for _ in range(50) for part in (1, 2)}) == 100

    def test_scopes_and_origins_are_kept_once_and_in_order(self):
        assert make(scopes=("admin", "read", "catalogue", "read"))[1].scopes == ("read", "catalogue", "admin")
        origins = ("https://b.example", "https://a.example", "https://b.example")
        assert make(kind="publishable", scopes=(), origins=origins)[1].origins == origins[:2]

    def test_a_publishable_key_reads(self):
        assert make(kind="publishable", scopes=())[1].scopes == ("read",)

    def test_the_moment_is_in_utc(self):
        at = datetime(2026, 11, 20, 1, 30, tzinfo=timezone(timedelta(hours=2)))
        assert make(created_at=at)[1].created_at == "2026-11-19T23:30:00Z"

    @pytest.mark.parametrize(
        ("given", "word"),
        [
            ({"scopes": ()}, "scope"),
            ({"origins": ("https://shop.example",)}, "browser"),
            ({"kind": "publishable", "scopes": ("read", "events")}, "no scope but read"),
            ({"kind": "publishable", "scopes": ("admin",)}, "no scope but read"),
        ],
    )
    def test_what_does_not_go_together_is_refused(self, given, word):
        with pytest.raises(UsageError, match=word):
            make(**given)


class TestOrigins:
    @pytest.mark.parametrize(
        "origin",
        [
            "https://shop.example",
            "https://shop.example:8443",
            "https://xn--kse-qla.example",
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[::1]:8080",
        ],
    )
    def test_those_that_browsers_send_are_taken(self, origin):
        assert make(kind="publishable", origins=(origin,))[1].origins == (origin,)

    @pytest.mark.parametrize(
        "origin",
        [
            "",
            "*",
            "null",
            "shop.example",
            "https://shop.example/",
            "https://shop.example/cart",
            "https://Shop.example",
            "https://*.shop.example",
            "https://user@shop.example",
            "https://shop.example:443",
            "http://shop.example:80",
            "https://shop.example\n",
            "https://shop.example https://other.example",
            "ftp://shop.example",
            "https://käse.example",
        ],
    )
    def test_any_other_is_refused_by_name(self, origin):
        with pytest.raises(UsageError, match=re.escape(repr(origin))):
            make(kind="publishable", origins=(origin,))


def test_a_revoked_key_keeps_its_name_and_nothing_that_opens_anything():
    key, kept = make(kind="publishable", scopes=(), origins=("https://shop.example",))
    revoked = kept.revoke(NOW)
    assert (revoked.key_id, revoked.shop, revoked.revoked_at) == (kept.key_id, "a", "2026-11-20T12:00:00Z")
    assert (revoked.digest, revoked.scopes, revoked.origins) == ("", (), ())
    assert digest_of(key) != revoked.digest
