import os

import pytest

# TensorFlow's remarks would drown pytest's; its newer kernels are what the command line uses
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Empty data, cache and results folders of this test's own."""
    for name in ("data", "cache", "results"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"MER_{name.upper()}", str(tmp_path / name))
    return tmp_path
