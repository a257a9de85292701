"""What a line says of its recipe, of the experiments that are shipped."""

import pytest

from mer_keras.config.experiment import Experiment
from mer_keras.config.files import load_experiments
from mer_keras.leaderboard.settings import changed_in
from tests.leaderboard.made import TREE


def changes(name, row, *overrides, profile="full"):
    (config,) = load_experiments(name, profile=profile, overrides=overrides)
    return changed_in(config, next(plan for plan in config.plans if plan.name == row))


LARGE, SMALL = "leaderboard/megc2019_large", "leaderboard/megc2019_networks"


@pytest.mark.parametrize("row", ["HTNet", "CausalNet, onset to apex alone", "STSTNet", "MACNN"])
def test_a_full_recipe_is_changed_in_nothing(row):
    assert changes(LARGE, row) == ()


@pytest.mark.parametrize(
    ("name", "row", "expected"),
    [
        (LARGE, "HTNet", ("batch_size 32", "order shuffled")),
        (LARGE, "CausalNet, onset to apex alone", ("batch_size 32", "order shuffled")),
        (LARGE, "STSTNet", ("learning_rate 0.001",)),
        (LARGE, "MACNN", ()),
        # The profile sets it for the whole table there, not in the row.
        ("leaderboard/megc2019", "STSTNet", ("learning_rate 0.001",)),
        (SMALL, "RCN-A", ("learning_rate 0.005",)),
    ],
)
def test_a_shorter_recipe_says_its_changes(name, row, expected):
    assert changes(name, row, profile="reduced") == expected


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("methods.off_apexnet.train.batch_size=8", ("batch_size 8",)),
        ("rows.0.train.batch_size=64", ()),
        ("rows.0.train.precision=mixed_bfloat16", ()),
        ("rows.0.train.optimizer.name=sgd", ("optimizer sgd",)),
        ("rows.0.train.balance=oversample", ("balance oversample",)),
    ],
)
def test_a_change_is_told_wherever_it_is_set(override, expected):
    assert changes(SMALL, "OFF-ApexNet", override) == expected


def test_a_method_of_somebody_elses_with_half_a_recipe_is_compared_with_nothing():
    """A row may complete what its method leaves open."""
    half = {"optimizer": {"learning_rate": 0.1}, "epochs": None, "batch_size": 4}
    net = TREE["methods"]["net"] | {"train": half}
    rows = [{"name": "Net", "method": "own_net", "train": {"epochs": 5}}]
    methods = {"own_net": net, "majority": TREE["methods"]["majority"]}
    config = Experiment.model_validate(TREE | {"rows": rows, "methods": methods})
    assert changed_in(config, config.plans[0]) == ()


def test_a_method_without_a_network_has_no_recipe():
    (config,) = load_experiments(LARGE, profile="full")
    baselines = [plan for plan in config.plans if plan.role == "baseline"]
    assert [changed_in(config, plan) for plan in baselines] == [()] * len(baselines)
    assert baselines
