import pytest

from tests.config.small import FILE, write


@pytest.fixture
def add(tmp_path, monkeypatch):
    """A working folder with the table ``paper/table1``; returns a function that adds a file."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "paper/table1", FILE)
    return lambda name, tree: write(tmp_path, name, tree)
