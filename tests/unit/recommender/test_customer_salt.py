import hmac
import stat
from multiprocessing.pool import ThreadPool

import pytest

from recommender.customer_salt import digest_of_customer, find_salt, make_salt
from recommender.data_dir import DataDirectory
from recommender.errors import HomeError


def test_a_salt_is_made_once_and_for_its_owner_alone(tmp_path):
    home = DataDirectory(tmp_path / "home")
    assert find_salt(home) is None
    salt = make_salt(home)
    assert make_salt(home) == find_salt(home) == salt
    assert stat.S_IMODE(home.customer_salt.stat().st_mode) == 0o600
    assert list(home.root.iterdir()) == [home.customer_salt]
    assert make_salt(DataDirectory(tmp_path / "other")) != salt


def test_of_many_at_once_all_have_the_same(tmp_path):
    with ThreadPool(8) as pool:
        assert len(set(pool.map(make_salt, [DataDirectory(tmp_path)] * 32))) == 1


def test_a_salt_that_was_cut_is_refused(tmp_path):
    home = DataDirectory(tmp_path)
    home.customer_salt.write_bytes(make_salt(home)[:10])
    with pytest.raises(HomeError, match="is not whole; restore it from a backup"):
        find_salt(home)
    with pytest.raises(HomeError, match="restore it"):
        make_salt(home)


def test_a_digest_is_what_other_languages_compute():
    salt = b"0" * 64
    assert (
        digest_of_customer("ann@shop.example", salt) == hmac.new(salt, b"ann@shop.example", "sha256").hexdigest()[:32]
    )
    assert len(digest_of_customer("\ud800", salt)) == 32
