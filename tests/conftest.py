"""Read before any test."""

import os

# Two workers, each with two threads of OpenBLAS that wait for each other in a loop, take twice as long as with one each.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
