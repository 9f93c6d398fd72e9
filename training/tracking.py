"""Tracking: parameters, figures and report of a training, told to MLflow where MLFLOW_TRACKING_URI names one."""

import os
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from recommender.errors import UsageError
from recommender.publication.manifest import Manifest, Publication
from training.provenance import flatten
from training.reports.version_report import render_report

_BOUNDS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""A server that is away shall not hold up a training for the quarter of an hour that the client would wait."""


def check_tracking() -> None:
    """Refuse to begin a training that is to be tracked and cannot be. Raises UsageError: MLflow is not installed."""
    if _is_wanted() and find_spec("mlflow") is None:
        raise UsageError(
            "MLFLOW_TRACKING_URI is set, and MLflow is not installed: pip install 'reprise-recommender[mlflow]', "
            "or unset the variable"
        )


def track(publication: Publication) -> str | None:
    """What went wrong as a training was tracked, in words; None where nothing did, or nothing asks for it.

    A run is named like the version. Its parameters are the settings, its metrics the figures of the last window
    (`reprise/ndcg_at_10`), its tags the gate's verdict, sources and packages; it holds the manifest and the report.
    """
    if not _is_wanted():
        return None
    for name, value in _BOUNDS.items():
        os.environ.setdefault(name, value)
    mlflow = import_module("mlflow")
    try:
        _log(mlflow, publication)
    except (mlflow.exceptions.MlflowException, OSError) as error:
        kind = type(error).__name__
        return f"not tracked: MLflow did not take it ({kind}); is MLFLOW_TRACKING_URI right, and the server up?"
    return None


def _is_wanted() -> bool:
    return bool(os.environ.get("MLFLOW_TRACKING_URI"))


def _log(mlflow: Any, publication: Publication) -> None:
    manifest = publication.manifest
    with mlflow.start_run(run_name=manifest.version):
        mlflow.set_tags(_tags(manifest))
        mlflow.log_params(dict(flatten(manifest.settings)))
        mlflow.log_metrics(dict(_figures(manifest)))
        mlflow.log_dict(manifest.to_dict(), "manifest.json")
        mlflow.log_text(render_report(publication, None), "report.html")


def _tags(manifest: Manifest) -> dict[str, str]:
    return {
        "reprise.version": manifest.version,
        "reprise.as_of": manifest.as_of,
        "reprise.gate": str(manifest.gate.get("verdict")),
        "reprise.data": str(manifest.metrics.get("data", {}).get("ledger", "")),
        "reprise.sources": ", ".join(manifest.sources),
        **{f"reprise.package.{name}": version for name, version in manifest.packages.items()},
    }


def _figures(manifest: Manifest) -> Iterator[tuple[str, float]]:
    yield from ((f"count/{name}", float(count)) for name, count in manifest.counts.items())
    for ranking, scores in manifest.metrics.get("scores", {}).items():
        for measure, figure in scores.items():
            if figure is not None:
                yield f"{ranking}/{measure.replace('@', '_at_')}", float(figure)
