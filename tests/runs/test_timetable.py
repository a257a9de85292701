"""The time left: expectations are corrected by what is done; a fake clock tells the truth."""

import numpy as np
import pytest

from mer_keras.runs.timetable import START, Piece, Timetable


class Clock:
    """A clock that tests move."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def simulate(tables, slower, noise, seed=0, epochs=10, trainings=6):
    """Work off tables whose pieces take a multiple of what is expected, with noise.

    Returns (elapsed, shown) of every report, and the whole time.
    """
    rng, clock = np.random.default_rng(seed), Clock()
    timetable = Timetable(tables, clock)
    notes = []
    for table, pieces in tables.items():
        report = timetable.begin(table)
        for piece in pieces:
            report(piece.title, 0, trainings)
            clock.now += piece.start * slower[piece.start_kind]
            for training in range(trainings):
                for epoch in range(1, epochs + 1):
                    part = piece.seconds / trainings / epochs
                    clock.now += part * slower[piece.kind] * rng.lognormal(0, noise)
                    report(piece.title, training + epoch / epochs, trainings)
                    notes.append((clock.now - 1000, timetable.left()))
        timetable.finish(table)
    return np.array(notes), clock.now - 1000


def ratio_at(notes, share, total):
    elapsed, shown = notes[notes[:, 0] <= share * total][-1]
    return shown / (total - elapsed)


TABLES = {
    "first": [
        Piece("input clips", "input|frames", 8),
        Piece("ConvLSTM", "train|convlstm", 200, 10, f"{START}|convlstm"),
        Piece("linear SVM", "train|svm", 2),
    ],
    "second": [
        Piece("Network", "train|resnet", 90, 15, f"{START}|resnet"),
        Piece("ConvLSTM", "train|convlstm", 100, 10, f"{START}|convlstm"),
    ],
}
KINDS = {
    kind
    for pieces in TABLES.values()
    for piece in pieces
    for kind in (piece.kind, piece.start_kind)
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("speed", [0.7, 1.0, 1.3])
def test_after_a_tenth_the_time_left_is_true_within_a_third(seed, speed):
    """Costs are known in proportion; each epoch takes 20 % more or less."""
    notes, total = simulate(TABLES, dict.fromkeys(KINDS, speed), noise=0.2, seed=seed)
    for share in np.arange(0.1, 0.96, 0.05):
        assert 2 / 3 < ratio_at(notes, share, total) < 4 / 3


def test_a_kind_that_is_slower_is_learned_and_others_keep_their_expectation():
    clock = Clock()
    timetable = Timetable({"t": [Piece("a", "train|a", 100), Piece("b", "train|b", 100)]}, clock)
    report = timetable.begin("t")
    clock.now += 150
    report("a", 1, 2)  # Half of it took three times as long as expected.
    assert timetable.factor("train|a") == pytest.approx(3, rel=0.05)
    assert 1 < timetable.factor("train|b") < 3, "they share a machine"
    assert timetable.factor("input|frames") == 1, "another group"


def test_a_training_that_ends_early_makes_those_of_its_kind_shorter():
    clock = Clock()
    timetable = Timetable({"t": [Piece("a", "train|a", 400)]}, clock)
    report = timetable.begin("t")
    for training in range(2):
        for epoch in range(1, 6):
            clock.now += 5
            report("a", training + epoch / 20, 4)  # 20 epochs at most, and it ends after five.
        report("a", training + 1, 4)
    # Two of four trainings took 25 s each where 100 s were expected.
    assert timetable.left() == pytest.approx(50, rel=0.1)


def test_time_left_counts_down_between_two_reports_and_never_below_the_rest():
    clock = Clock()
    timetable = Timetable({"t": [Piece("a", "x", 10), Piece("b", "x", 30)]}, clock)
    report = timetable.begin("t")
    report("a", 0, 1)
    assert timetable.left() == pytest.approx(40)
    clock.now += 4
    assert timetable.left() == pytest.approx(36)
    clock.now += 400
    assert timetable.left() == pytest.approx(30), "what comes later is still to be done"


def test_building_is_told_from_training():
    """A network whose building takes long doesn't make its epochs look slow."""
    clock = Clock()
    timetable = Timetable({"t": [Piece("a", "train|a", 100, 10, f"{START}|a")]}, clock)
    report = timetable.begin("t")
    report("a", 0, 10)
    clock.now += 25 + 10
    report("a", 1, 10)
    clock.now += 10
    report("a", 2, 10)
    assert timetable.factor("train|a") == pytest.approx(1, abs=0.05)
    assert timetable.factor(f"{START}|a") > 1.5
    assert timetable.left() == pytest.approx(80, rel=0.05)


def test_what_is_stored_already_and_what_nobody_expected_takes_no_time():
    clock = Clock()
    timetable = Timetable({"t": [Piece("a", "x", 10)], "u": [Piece("a", "x", 10)]}, clock)
    report = timetable.begin("t")
    clock.now += 7
    report("something else", 1, 2)
    assert timetable.left() == pytest.approx(20)
    timetable.expect("t", [])
    moment = timetable.moment()
    assert (moment.number, moment.tables, moment.what) == (1, 2, "something else")
    assert moment.left == pytest.approx(10)
    assert moment.share == pytest.approx(7 / 17)
    timetable.finish("u")
    assert timetable.moment().share == 1
