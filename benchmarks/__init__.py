"""Speed and scale, measured: `python -m benchmarks`."""

import os

# One thread for every solver, and before NumPy is imported: with more, a busy machine times the waiting of
# threads for one another, a hundred times what small matrices take. The environment has the last word.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
