"""What is said before Spark is asked for anything."""

import pytest

from recommender.errors import UsageError
from tests.support.commands import call_reprise
from training.spark import session
from training.spark.session import open_session


def open_and_close(master=None):
    with open_session(master):
        pass


def test_spark_is_an_extra(monkeypatch):
    monkeypatch.setattr(session, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"needs pyspark: pip install 'reprise-recommender\[spark\]'"):
        open_and_close()


def test_spark_needs_java_unless_it_runs_elsewhere(monkeypatch):
    monkeypatch.setattr(session, "find_spec", lambda name: "found")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(UsageError, match="needs Java 17 or newer: install it, or set JAVA_HOME"):
        open_and_close()
    session._check_installed("sc://cluster")


def test_a_master_is_for_spark(tmp_path):
    done = call_reprise(tmp_path / "home", "rank", "any.csv", "--as-of", "2026-01-01", "--master", "local")
    assert done.returncode == 2
    assert "--master is for --engine spark" in done.stderr
