import shutil

import pytest

from mer_keras.runs.folder import RunFolder
from tests.runs.small import run, small, write_database


@pytest.fixture(scope="session")
def small_databases(tmp_path_factory):
    """A small SAMM and a cache, for all tests that only read them."""
    root = tmp_path_factory.mktemp("small")
    for name in ("data", "cache"):
        (root / name).mkdir()
    write_database(root / "data")
    return root


@pytest.fixture
def small_data(small_databases, tmp_path, monkeypatch):
    """The small SAMM is the user's database, and results are this test's own."""
    monkeypatch.setenv("MER_DATA", str(small_databases / "data"))
    monkeypatch.setenv("MER_CACHE", str(small_databases / "cache"))
    monkeypatch.setenv("MER_RESULTS", str(tmp_path / "results"))
    return tmp_path


@pytest.fixture(scope="session")
def calm_run(small_databases, tmp_path_factory):
    """A finished small run that stores all epochs; tests only read it."""
    pytest.importorskip("keras")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MER_DATA", str(small_databases / "data"))
        patch.setenv("MER_CACHE", str(small_databases / "cache"))
        patch.setenv("MER_RESULTS", str(tmp_path_factory.mktemp("calm")))
        return run(small("record_epochs=true"))


@pytest.fixture
def copied_run(calm_run, small_data):
    """A copy of the finished run that a test may change."""
    return RunFolder(shutil.copytree(calm_run.path, small_data / "results" / calm_run.path.name))
