"""The offline job: purchase files become a ledger, a model, an evaluation and a published version."""

import os

# Read once, when the libraries load. The trees' threads must sleep when they wait: spinning, they take the cores from
# each other on a machine that does anything else (400 s instead of 5). BLAS threads slow implicit down.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
