"""Session of Spark: on this machine, on a cluster, or under `spark-submit`."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from recommender.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_HERE = "local[*]"
_CONNECT = "sc://"


@contextmanager
def open_session(master: str | None) -> Iterator["SparkSession"]:
    """A session of Spark, which ends with the block; under `spark-submit` it is that of the submitted job.

    The executors run the Python that PYSPARK_PYTHON names; where nothing is said, the one that runs this.

    Args:
        master: such as `local[4]`, `spark://host:7077`, `k8s://…` or, for Spark Connect, `sc://host`; None: what
            `spark-submit` was told, else all cores of this machine.

    Raises:
        UsageError: pyspark or Java is not installed here, or the master cannot be reached.
    """
    _check_installed(master)
    from pyspark.errors import PySparkException  # noqa: PLC0415 - an extra
    from pyspark.logger import PySparkLogger  # noqa: PLC0415 - an extra
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    PySparkLogger.getLogger("SQLQueryContextLogger").setLevel("CRITICAL")  # errors are told once, without Java's stack
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    if not submitted:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.Builder().appName("reprise").config("spark.sql.session.timeZone", "UTC")
    if master and master.startswith(_CONNECT):
        builder = builder.remote(master)
    elif master or not submitted:
        builder = builder.master(master or _HERE).config("spark.ui.showConsoleProgress", "false")
    try:
        session = builder.getOrCreate()
    except (PySparkException, RuntimeError) as error:
        raise UsageError(f"no session of Spark at {master or _HERE}: {str(error).splitlines()[0]}") from None
    try:
        yield session
    finally:
        session.stop()


def _check_installed(master: str | None) -> None:
    if find_spec("pyspark") is None:
        raise UsageError("--engine spark needs pyspark: pip install 'reprise-recommender[spark]'")
    has_java = shutil.which("java") or os.environ.get("JAVA_HOME")
    if not has_java and not (master or "").startswith(_CONNECT):
        raise UsageError("--engine spark needs Java 17 or newer: install it, or set JAVA_HOME")
