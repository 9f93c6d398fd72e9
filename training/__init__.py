"""The offline job: purchase files become a ledger, a model, an evaluation and a published version."""

import ctypes
import os
from contextlib import suppress

# Read once, when the libraries load. The trees' threads must sleep when they wait: spinning, they take the cores from
# each other on a machine that does anything else (400 s instead of 5). BLAS threads slow implicit down.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Arrays come and go by the hundred, and an allocator keeps what is freed for the next one: half of what a training held
# was that. The one of polars gives it back at once, that of the C library (glibc) beyond 64 MiB for each of two arenas:
# M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_ARENA_MAX. With less, the pages of each batch's arrays are asked for anew.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")
with suppress(OSError, AttributeError):
    for option, value in ((-3, 2**24), (-1, 2**26), (-8, 2)):
        ctypes.CDLL(None).mallopt(option, value)
