import pytest
import redis

from recommender.connection.url import RedisUrl, parse_redis_url
from recommender.errors import SettingsError


def _parts(url: str) -> tuple[str, tuple, str]:
    found = parse_redis_url(url)
    return found.kind, found.nodes, found.primary


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("redis://localhost", {"host": "localhost"}),
        ("redis://localhost:6380/2", {"host": "localhost", "port": 6380, "db": 2}),
        ("redis://ann:s3%2Fcret@h", {"host": "h", "username": "ann", "password": "s3/cret"}),
        ("rediss://h", {"host": "h", "connection_class": redis.SSLConnection}),
        ("unix:///a/b.sock", {"path": "/a/b.sock", "connection_class": redis.UnixDomainSocketConnection}),
    ],
)
def test_one_server_is_read_as_redis_py_reads_it(url, options):
    found = parse_redis_url(url)
    assert (found.kind, found.nodes, found.primary) == ("server", (), "")
    assert found.options == options


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("redis+cluster://a:7001,b:7002", ("cluster", (("a", 7001), ("b", 7002)), "")),
        ("redis+cluster://a,b", ("cluster", (("a", 6379), ("b", 6379)), "")),
        ("redis+cluster://a:7001/", ("cluster", (("a", 7001),), "")),
        ("redis+cluster://a:7001/0", ("cluster", (("a", 7001),), "")),
        ("redis+cluster://[::1]:7001,[fe80::1]:7002", ("cluster", (("::1", 7001), ("fe80::1", 7002)), "")),
        ("redis+sentinel://a:1,b:2,c:3/main", ("sentinel", (("a", 1), ("b", 2), ("c", 3)), "main")),
        ("redis+sentinel://a/main/5", ("sentinel", (("a", 26_379),), "main")),
        ("redis+sentinel://a/the%20main", ("sentinel", (("a", 26_379),), "the main")),
    ],
)
def test_several_hosts(url, parts):
    assert _parts(url) == parts


def test_user_password_database_and_options_hold_for_every_server():
    found = parse_redis_url("rediss+sentinel://ann:p%40ss@a:1,b:2/main/5?ssl_ca_certs=/ca.pem")
    assert found.options == {
        "username": "ann",
        "password": "p@ss",
        "db": 5,
        "ssl_ca_certs": "/ca.pem",
        "connection_class": redis.SSLConnection,
    }


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://ann:s3cret@h:1/0?password=s3cret", "redis://h:1/0"),
        ("redis+cluster://:s3cret@a:1,b:2", "redis+cluster://a:1,b:2"),
        ("redis+sentinel://ann:s3cret@a:1,b:2/main/0?x=y", None),
        ("unix:///a/b.sock?password=s3cret", "unix:///a/b.sock"),
    ],
)
def test_what_messages_show(url, shown):
    if shown is None:
        with pytest.raises(SettingsError, match="redis\\+sentinel://a:1,b:2/main/0") as raised:
            parse_redis_url(url)
        assert "s3cret" not in str(raised.value)
    else:
        assert parse_redis_url(url).address == shown


@pytest.mark.parametrize(
    "url",
    [
        "redis+cluster://",
        "redis+cluster://a,,b",
        "redis+cluster://a:port",
        "redis+cluster://a/1",
        "redis+cluster://a/name",
        "redis+cluster:///path",
        "redis+sentinel://a:1,b:2",
        "redis+sentinel://a:1/",
        "redis+sentinel://a:1/main/first",
        "redis+sentinel://a:1//0",
        "redis+sentinel://a:1/main/0/0",
        "redis+other://a:1",
        "unix+cluster:///a",
        "redis+cluster://a?no_such_option=1",
    ],
)
def test_what_is_no_address_is_refused_with_the_forms_there_are(url):
    with pytest.raises(SettingsError, match=r"redis\+cluster://host:6379,host:6379 or redis\+sentinel://"):
        parse_redis_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://ann:s3/cret@h:x",
        "redis://ann:s3cret?s3cret@h:x",
        "redis://ann:s3cret#s3cret@h:x",
        "redis://ann:s3cret@s3cret@h:x",
        "redis+cluster://ann:s3cret,s3cret@a,b:x",
        "redis+sentinel://ann:s3cret/s3cret@a",
        "redis:ann:s3cret@h",
        "s3cret",
    ],
)
def test_a_password_with_any_sign_in_it_is_never_told(url):
    with pytest.raises(SettingsError) as raised:
        parse_redis_url(url)
    assert "cret" not in str(raised.value)


def test_a_password_need_not_be_encoded_where_hosts_are_listed():
    found = parse_redis_url("redis+cluster://ann:p,a:s@a:1,b:2")
    assert isinstance(found, RedisUrl)
    assert (found.nodes, found.options["password"]) == ((("a", 1), ("b", 2)), "p,a:s")
