import os

import pytest
from hypothesis import settings

# TensorFlow's remarks would drown pytest's. Its newer kernels are what the command line uses.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Processes that test side by side share the cores.
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if _WORKERS > 1:
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, str(max(1, (os.cpu_count() or 1) // _WORKERS)))

# How long an example takes depends on what else the machine does: pytest's own limit holds.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Empty data, cache and results folders of this test's own."""
    for name in ("data", "cache", "results"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"MER_{name.upper()}", str(tmp_path / name))
    return tmp_path
