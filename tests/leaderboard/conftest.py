import pytest

from mer_keras.leaderboard.reading import checked_entry
from mer_keras.leaderboard.writing import contribution_files
from tests.leaderboard.made import BOARDS, make_run


@pytest.fixture(scope="session")
def view(tmp_path_factory):
    """A run to the last epoch, with its epochs."""
    return make_run(tmp_path_factory.mktemp("last"))


@pytest.fixture(scope="session")
def files(view):
    """The files of that run's contribution."""
    return contribution_files(view, known=BOARDS)


@pytest.fixture(scope="session")
def entry(files):
    """That contribution, checked."""
    return checked_entry("last", files, BOARDS)


@pytest.fixture(scope="session")
def inner(tmp_path_factory):
    """The same rows with the epoch chosen on training people."""
    view = make_run(tmp_path_factory.mktemp("inner"), selection="inner_subjects")
    return checked_entry("inner", contribution_files(view, known=BOARDS), BOARDS)
