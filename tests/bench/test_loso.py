"""The drawn flow set, the plain networks, and what is reckoned from their times."""

import numpy as np
import pytest

from mer_keras.annotations import databases
from mer_keras.bench import flow_like
from mer_keras.bench.loso import QUALITY, judged, load_script, setup_and_epoch
from mer_keras.bench.measure import Measured, NotMeasuredError


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
    samples = databases.load("megc2019_flow")
    assert str(samples.data_kind) == "synthetic" and not samples.warnings
    assert samples.table["subject_id"].nunique() == 68
    emotions = [flow_like.CLASSES[i] for i in flow.labels]
    assert list(samples.table.sort_values("clip")["emotion"]) == emotions


def test_uf1_leaves_out_what_was_not_tested():
    labels = np.array([0, 1, 2, 0])
    assert flow_like.uf1(labels, np.array([0, 1, 2, -1])) == 1
    assert flow_like.uf1(labels, np.array([0, 1, 1, 0])) == pytest.approx((1 + 2 / 3) / 3)


def test_set_up_and_epoch_are_told_apart():
    assert setup_and_epoch({2: 7.0, 5: 99.0, 10: 15.0}) == (5.0, 1.0)


def test_uf1_is_judged_by_the_spread_of_the_plain_ways():
    def row(way, low, median, high):
        facts = {"UF1 median": median, "least": low, "largest": high}
        return Measured(f"{QUALITY} after 30", way, (1.0,), facts=facts)

    rows = [
        row("plain PyTorch", 0.70, 0.71, 0.75),
        row("plain Keras", 0.65, 0.69, 0.72),
        row("mer_keras, a", 0.5, 0.66, 0.8),
        row("mer_keras, b", 0.5, 0.64, 0.8),
        row("mer_keras, c", 0.5, 0.76, 0.8),
    ]
    told = [one.facts.get("beside plain ways' spread", "") for one in judged(rows)]
    assert told == ["", "", *(f"{w} 0.650 to 0.750" for w in ("within", "below", "above"))]
    assert judged(rows[2:]) == rows[2:]


def test_plain_torch_network_has_the_parameters_of_the_paper():
    pytest.importorskip("torch")
    script = load_script("plain_torch")
    assert script.count_trainable(script.build()) == 1683


@pytest.mark.slow
def test_plain_keras_network_has_the_parameters_of_the_paper():
    script = load_script("plain_keras")
    assert script.count_trainable(script.build()) == 1683


def test_a_script_that_is_not_there_is_no_fault():
    with pytest.raises(NotMeasuredError, match="checkout"):
        load_script("no_such")
