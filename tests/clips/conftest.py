import numpy as np
import pytest

from tests.clips.blob import COUNT, draw


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def blob(tmp_path):
    """A clip of a blob that moves to the right and back, in colour."""
    moves = [3 * np.sin(np.pi * k / COUNT) for k in range(COUNT)]
    return draw(tmp_path / "data" / "blob", moves)
