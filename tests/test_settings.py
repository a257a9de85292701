"""Folders are found for users of every kind, those without a home too."""

import pytest

from mer_keras import settings
from mer_keras.errors import UserError


@pytest.mark.parametrize(
    ("function", "variable"),
    [(settings.cache_root, "MER_CACHE"), (settings.registry_path, "MER_CONFIG")],
)
def test_fault_72_a_user_without_a_home_is_told_which_variable_helps(
    monkeypatch, function, variable
):
    """As in a container that runs under a number that no user has."""
    for name in ("HOME", "MER_CACHE", "MER_CONFIG", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # It returns what it can't expand.
    with pytest.raises(UserError, match=f"name a folder by {variable}, or set HOME"):
        function()


def test_a_home_of_nobody_is_told(monkeypatch):
    monkeypatch.setenv("MER_RESULTS", "~nobody-is-called-so/results")
    with pytest.raises(UserError, match="MER_RESULTS"):
        settings.results_root()
