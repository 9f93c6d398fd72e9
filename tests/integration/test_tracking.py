"""Trainings told to MLflow, by its own client."""

import json
import sys

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from training import tracking

ELSEWHERE = {"REPRISE_REDIS_URL": "unix:///nonexistent/redis.sock"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """MLflow's plain files."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    folder = tmp_path / "runs"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", folder.as_uri())
    mlflow.set_tracking_uri(folder.as_uri())
    yield folder
    mlflow.set_tracking_uri(None)


def test_a_training_is_a_run_with_its_figures_manifest_and_report(reprise, shop_files, folder):
    done = reprise("train", shop_files.purchases, "--no-publish", "--json", **ELSEWHERE)
    assert done.returncode == 0, done.stderr
    manifest = json.loads(done.stdout)
    client = MlflowClient()
    (run,) = client.search_runs(["0"])
    assert run.info.run_name == manifest["version"]
    assert run.data.params["als.factors"] == str(manifest["settings"]["als"]["factors"])
    assert run.data.metrics["reprise/ndcg_at_10"] == manifest["metrics"]["scores"]["reprise"]["ndcg@10"]
    assert run.data.metrics["count/customers"] == manifest["counts"]["customers"]
    assert run.data.tags["reprise.gate"] == manifest["gate"]["verdict"]
    assert run.data.tags["reprise.data"] == manifest["metrics"]["data"]["ledger"]
    files = [file.path for file in client.list_artifacts(run.info.run_id)]
    assert files == ["manifest.json", "report.html"]


def test_the_fingerprint_is_that_of_the_cleaned_data(reprise, shop_files, tmp_path):
    text = shop_files.purchases.read_text()
    files = {"same": text, "row less": text.rsplit("\n", 2)[0] + "\n"}
    found = {}
    for name, content in files.items():
        (tmp_path / "p.csv").write_text(content)
        done = reprise("train", tmp_path / "p.csv", "--no-publish", "--json", **ELSEWHERE)
        found[name] = json.loads(done.stdout)["metrics"]["data"]["ledger"]
    whole = reprise("train", shop_files.purchases, "--no-publish", "--json", **ELSEWHERE)
    assert found["same"] == json.loads(whole.stdout)["metrics"]["data"]["ledger"]
    assert found["row less"] != found["same"]


def test_a_server_that_is_away_loses_no_training(reprise, shop_files, home, monkeypatch):
    mlflow.set_tracking_uri(None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://nobody:s3cret@127.0.0.1:1")
    done = reprise("train", shop_files.purchases, "--no-publish", "--json", **ELSEWHERE)
    assert done.returncode == 0
    assert "not tracked: MLflow did not take it" in done.stderr
    assert "s3cret" not in done.stderr + done.stdout
    assert (home / "models" / json.loads(done.stdout)["version"]).is_dir()


def test_without_mlflow_nothing_begins(reprise, shop_files, home, folder, monkeypatch):
    monkeypatch.setattr(tracking, "find_spec", lambda _: None)
    done = reprise("train", shop_files.purchases, "--no-publish")
    assert done.returncode == 2
    assert "pip install 'reprise-recommender[mlflow]'" in done.stderr
    assert not (home / "models").exists()


def test_mlflow_is_not_loaded_where_nothing_asks_for_it(reprise, shop_files, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert reprise("train", shop_files.purchases, "--no-publish", "--json", **ELSEWHERE).returncode == 0
