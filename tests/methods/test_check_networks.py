"""Networks are built before any clip is read, so that a size that one can't read is refused."""

import pytest

pytest.importorskip("tensorflow")

from mer_keras.config.files import load_experiments
from mer_keras.errors import ConfigError
from mer_keras.methods import registry
from mer_keras.methods.registry import check_networks
from mer_keras.models.registry import build
from mer_keras.runs.context import compose


def smoke(name, *overrides):
    return load_experiments(name, profile="smoke", overrides=overrides)[0]


def test_fault_78_a_size_is_refused_before_anything_is_drawn(places):
    config = smoke("shallow_attention/table1", "inputs.clips.size=40")
    with pytest.raises(ConfigError) as refused:
        compose(config, "smoke", "synthetic", try_networks=True)
    for part in ("row 'Proposed 3D", "40, 40, 1)", "grid of 3x3", "change inputs.clips.size"):
        assert part in str(refused.value)
    assert not list((places / "cache").iterdir())


def test_fault_78_what_keras_says_stands_on_one_line():
    with pytest.raises(
        ConfigError, match="'ststnet' can't be built for clips of shape \\(2, 2, 3\\)"
    ) as refused:
        build("ststnet", (2, 2, 3))
    assert "\n" not in str(refused.value) and "\x1b" not in str(refused.value)


def test_a_value_of_an_argument_is_named():
    with pytest.raises(ConfigError, match="reduction=0"):
        build("meranet", (8, 32, 32, 1), reduction=0)


def test_networks_of_equal_rows_are_built_once_and_the_papers_own_not_at_all(monkeypatch):
    tried = []
    registry._try_network.cache_clear()
    monkeypatch.setattr(registry.networks, "build", lambda name, *_, **__: tried.append(name))
    config = smoke("shallow_convlstm/table1")
    check_networks(config, 3)
    check_networks(config, 3)
    assert tried == ["shallow_convlstm"]
    (full,) = load_experiments("shallow_convlstm/table1", profile="full")
    check_networks(full, 3)
    assert tried == ["shallow_convlstm"]
    registry._try_network.cache_clear()
