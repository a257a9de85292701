"""The synthetic flow set, the plain networks, and what is computed from their times."""

import numpy as np
import pandas as pd
import pytest

from mer_keras.bench import flow_like, loso
from mer_keras.bench.loso import load_script, measurements_of
from mer_keras.bench.measure import NotMeasuredError, ratios
from mer_keras.config.files import find_config, load_config
from mer_keras.config.training import Optimizer
from mer_keras.databases import registry


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_uneven_counts_add_up(seed):
    counts = flow_like.uneven_counts(442, 68, seed)
    assert (len(counts), sum(counts)) == (68, 442)
    assert min(counts) >= 1 and max(counts) > 15
    assert counts == flow_like.uneven_counts(442, 68, seed)
    assert counts != flow_like.uneven_counts(442, 68, seed + 1)


def test_the_drawn_set_has_the_counts_of_the_real_one():
    flow = flow_like.draw()
    assert flow.images.shape == (442, 28, 28, 3) and flow.images.dtype == np.uint8
    assert (flow.images.min(), flow.images.max()) == (0, 255)
    assert tuple(np.bincount(flow.labels)) == flow_like.COUNTS
    assert len(flow.people()) == 68


def test_fewer_people_are_the_first_ones():
    few, all_of_them = flow_like.draw(people=3), flow_like.draw()
    assert few.people() == all_of_them.people()[:3]
    assert np.array_equal(few.images, all_of_them.images[: len(few.images)])


def test_the_written_set_is_read_as_drawn(places):
    flow = flow_like.draw()
    flow_like.write(flow, places / "data")
    samples = registry.load("megc2019_flow")
    assert str(samples.data_kind) == "synthetic" and not samples.warnings
    assert samples.table["subject_id"].nunique() == 68
    emotions = [flow_like.CLASSES[i] for i in flow.labels]
    assert list(samples.table.sort_values("clip")["emotion"]) == emotions


def test_uf1_leaves_out_what_was_not_tested():
    labels = np.array([0, 1, 2, 0])
    assert flow_like.uf1(labels, np.array([0, 1, 2, -1])) == 1
    assert flow_like.uf1(labels, np.array([0, 1, 1, 0])) == pytest.approx((1 + 2 / 3) / 3)


def runs_of(**rounds_of):
    return pd.DataFrame(
        [
            {"way": way, "seed": seed, "epochs": count, "seconds": s, "uf1": uf1, "peak_mib": 100}
            for way, rounds in rounds_of.items()
            for seed, runs in enumerate(rounds)
            for count, (s, uf1) in runs.items()
        ]
    )


def test_ways_are_compared_within_each_round_and_by_medians():
    runs = runs_of(
        plain=[
            {2: (14, 0.1), 30: (154, 0.70)},
            {2: (28, 0.1), 30: (308, 0.75)},  # The machine was half as fast.
            {2: (14, 0.1), 30: (154, 0.72)},
        ],
        mer_keras=[
            {2: (12, 0.1), 30: (40, 0.71)},
            {2: (24, 0.1), 30: (80, 0.80)},
            {2: (12, 0.1), 30: (40, 0.79)},
        ],
    )
    rows = measurements_of("LOSO", runs, 68)
    table = {(row.work, row.way): row for row in rows}
    assert {row.pieces for row in rows} == {68}
    ratio = dict(zip(table, ratios(rows), strict=True))
    assert table["LOSO, an epoch", "plain"].seconds == (5, 10, 5)
    assert table["LOSO, an epoch", "mer_keras"].seconds == (1, 2, 1)
    assert table["LOSO, set-up", "mer_keras"].seconds == (10, 20, 10)
    assert ratio["LOSO, an epoch", "mer_keras"] == 5
    assert table["LOSO, 800 epochs, extrapolated", "mer_keras"].median == 810
    assert ratio["LOSO, 30 epochs", "mer_keras"] == pytest.approx(154 / 40)
    facts = table["LOSO, 30 epochs", "mer_keras"].facts
    assert (facts["UF1 median"], facts["least"], facts["largest"]) == (0.79, 0.71, 0.80)
    assert facts["beside the first way's"] == "above 0.700 to 0.750"
    assert "beside the first way's" not in table["LOSO, 30 epochs", "plain"].facts


def test_one_number_of_epochs_gives_no_slope():
    (row,) = measurements_of("LOSO", runs_of(mer_keras=[{2: (3, 0.5)}]), 68)
    assert (row.work, row.seconds) == ("LOSO, 2 epochs", (3,))


@pytest.mark.parametrize(
    ("name", "trained"), [("ststnet", 1_683), ("off_apexnet", 2_664_475), ("rcn", 55_747)]
)
def test_plain_torch_networks_have_the_parameters_of_the_papers(name, trained):
    pytest.importorskip("torch")
    script = load_script("plain_torch")
    assert script.count_trainable(script.build(name)) == trained


@pytest.mark.slow
def test_plain_keras_network_has_the_parameters_of_the_paper():
    script = load_script("plain_keras")
    assert script.count_trainable(script.build()) == 1683


def test_a_script_that_is_not_there_is_no_fault():
    with pytest.raises(NotMeasuredError, match="checkout"):
        load_script("no_such")


@pytest.mark.parametrize("network", ["ststnet", "off_apexnet", "rcn"])
def test_a_network_has_the_recipe_of_the_plain_scripts(monkeypatch, tmp_path, network):
    """A method's own batches and epochs would make another training of it."""
    plans = []

    def run_published(experiment, folder, workers, overrides):
        config = load_config(find_config(experiment)[0], overrides=overrides)
        plans.extend(config.plans)

    monkeypatch.setattr(loso, "run_published", run_published)
    loso.run_suite(
        tmp_path, "vectorised", 2, 7, 1e-3, 5, network=network, precision="mixed_bfloat16"
    )
    (plan,) = plans
    recipe = plan.recipe
    assert plan.method == network
    assert (recipe.epochs, recipe.batch_size) == (7, load_script("plain_keras").BATCH)
    assert recipe.optimizer == Optimizer(name="adam", learning_rate=1e-3)
    assert (recipe.engine, recipe.precision) == ("vectorised", "mixed_bfloat16")
    assert recipe.order == "shuffled" and recipe.balance == "none" and recipe.step_decay is None
