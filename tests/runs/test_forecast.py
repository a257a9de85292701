"""What a run will do, told before a clip is drawn or read."""

import pytest

from mer_keras.config.data import Data
from mer_keras.config.files import load_experiments
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.runs import speeds
from mer_keras.runs.expectation import Expectation
from mer_keras.runs.expected_clips import expected_samples, expected_shape
from mer_keras.runs.forecast import forecast
from mer_keras.runs.samples import is_drawn, load_samples

RATE = 1e11


def quick(name, *overrides):
    return load_experiments(name, profile="quick", overrides=overrides)[0]


def test_clips_of_a_stand_in_are_told_before_it_is_drawn(places):
    data = quick("shallow_convlstm/table1", "data.synthetic_clips=24").data
    told = expected_samples(data, "synthetic")
    assert not is_drawn(data) and not list((places / "cache").iterdir())
    drawn = load_samples(data, "synthetic")
    assert is_drawn(data)
    for column in ("subject_id", "label"):
        counts = [dict(s.table[column].value_counts()) for s in (told, drawn)]
        assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("database", "labels", "counts", "people"),
    [
        # Of CAS(ME)^2 the 57 micro-expressions are read, which 14 of its 22 people show.
        ("cas_me2", "meranet_cas_me2", {"happiness": 22, "disgust": 18, "anger": 17}, 14),
        ("cas_me2", "cas_me2_3", {"negative": 21, "positive": 8, "surprise": 9}, 14),
        # The composite leaves out two clips of its classes, and has the classes of the challenge.
        ("megc2019", "megc3", {"negative": 250, "positive": 109, "surprise": 83}, 68),
    ],
)
def test_clips_that_no_reader_gives_are_not_told(places, database, labels, counts, people):
    """The numbers are those that the authors of the databases and the challenge print."""
    data = Data(database=database, labels=labels)
    samples = expected_samples(data, "synthetic")
    assert samples.class_counts() == counts
    assert samples.table["subject_id"].nunique() <= people
    assert not list((places / "cache").iterdir())


@pytest.mark.parametrize(
    "name", ["meranet/table1/cas_me2", "micro_attention/table4", "dense_mixed_attention/table11"]
)
def test_pooled_databases_recordings_and_pretraining_are_told(places, name):
    config = quick(name)
    told = forecast(config, "synthetic", Expectation(RATE))
    titles = [piece.title for piece in told.pieces]
    for database in config.data.databases:
        assert f"synthetic {database}: writing clips" in titles
    for stage in config.stages:
        assert f"{stage.name}: training" in titles
    assert all(piece.total > 0 for piece in told.pieces)
    assert not list((places / "cache").iterdir())


def test_a_scheme_of_a_column_that_is_not_there_yet_spreads_the_clips(places, monkeypatch):
    """A forecast must never be what ends a run."""
    scheme = get_scheme("samm3").model_copy(update={"column": "objective_class"})
    monkeypatch.setattr("mer_keras.runs.expected_clips.get_scheme", lambda name: scheme)
    counts = expected_samples(quick("shallow_convlstm/table1").data, "synthetic").class_counts()
    assert set(counts) == {"positive", "negative", "surprise"}
    assert max(counts.values()) - min(counts.values()) <= 1


def test_trainings_are_rows_times_seeds_times_folds(places):
    config = quick("shallow_convlstm/table1", "seeds=[0, 1]", "protocol.k=4")
    told = forecast(config, "synthetic", Expectation(RATE))
    assert told.folds == 4
    assert told.trainings == len(config.plans) * 2 * 4
    networks = [plan for plan in config.plans if plan.config.network]
    assert told.network_trainings == len(networks) * 2 * 4
    assert told.data_kind == "synthetic" and not told.untimed
    titles = [piece.title for piece in told.pieces]
    assert titles[0] == "synthetic samm: writing clips" and "Proposed ConvLSTM" in titles


def seconds_of(config, row="Proposed ConvLSTM", rate=RATE, **options):
    pieces = forecast(config, "synthetic", Expectation(rate), **options).pieces
    return next(piece.seconds for piece in pieces if piece.title == row)


def test_time_is_in_proportion_to_epochs_and_cost_and_the_machine(places):
    """Where operations outweigh the rest, as on a machine that is slow."""
    base = quick("shallow_convlstm/table1")
    slow = seconds_of(base, rate=1e9)
    assert slow == pytest.approx(10 * seconds_of(base, rate=1e10), rel=0.05)
    twice = quick("shallow_convlstm/table1", f"train.epochs={2 * base.train.epochs}")
    assert seconds_of(twice, rate=1e9) == pytest.approx(2 * slow, rel=0.05)
    larger = quick("shallow_convlstm/table1", f"inputs.clips.size={2 * base.inputs['clips'].size}")
    assert seconds_of(larger, rate=1e9) == pytest.approx(4 * slow, rel=0.05)


def test_given_weights_are_only_tested(places):
    base = quick("shallow_convlstm/table1")
    assert seconds_of(base, rate=1e9, trains=False) < seconds_of(base, rate=1e9) / 10


def test_shapes_follow_the_recipes(places):
    config = quick("shallow_convlstm/table1")
    side = config.inputs["clips"].size
    assert expected_shape(config.inputs["clips"]) == (9, side, side, 1)
    assert expected_shape(config.inputs["motion"]) == (28, 28, 1)
    whole = config.inputs["clips"].model_copy(update={"frames": None, "sampling": "whole"})
    assert expected_shape(whole, 17) == (17, side, side, 1)


class TestWhatThisMachineShows:
    def test_what_took_longer_is_expected_to(self, places):
        config = quick("shallow_convlstm/table1")
        pieces = forecast(config, "synthetic", Expectation(RATE)).pieces
        piece = next(piece for piece in pieces if piece.title == "Proposed ConvLSTM")
        speeds.remember({piece.kind: (100.0, 300.0)})
        later = seconds_of(config)
        assert later == pytest.approx(piece.seconds * 305 / 105)
        smaller = quick("shallow_convlstm/table1", "train.batch_size=7")
        known = speeds.factors_of_machine()
        kind = next(
            p.kind
            for p in forecast(smaller, "synthetic", Expectation(RATE)).pieces
            if p.title == "Proposed ConvLSTM"
        )
        assert kind not in known
        assert speeds.factor_of(kind, known) == pytest.approx(known[piece.kind])

    def test_a_moment_changes_little_and_clips_from_a_cache_nothing(self, places):
        speeds.remember({"train|a|1": (0.01, 1.0), "input|frames": (50.0, 1.0)})
        assert set(speeds.factors_of_machine()) == {"train|a|1"}
        assert speeds.factors_of_machine()["train|a|1"] < 1.3

    @pytest.mark.parametrize("text", ["", "{", '{"factors": [1]}', '{"factors": {"a": "x"}}'])
    def test_a_damaged_file_is_as_none(self, places, text):
        (places / "cache/speeds.json").write_text(text)
        assert speeds.factors_of_machine() == {}
        speeds.remember({"draw": (10.0, 20.0)})
        assert speeds.factors_of_machine()["draw"] > speeds.MEASURED["draw"]

    def test_a_cache_that_cannot_be_written_is_no_error(self, places, monkeypatch):
        (places / "file").write_text("")
        monkeypatch.setenv("MER_CACHE", str(places / "file"))
        speeds.remember({"draw": (10.0, 20.0)})

    def test_the_rate_of_products_is_measured(self):
        assert 1e8 < speeds.matrix_rate(64, 3) < 1e14

    def test_the_highest_rate_of_products_is_kept(self, places, monkeypatch):
        rates = iter([2e10, 1e8, 3e10])
        monkeypatch.setattr(speeds, "matrix_rate", lambda: next(rates))
        assert [speeds.rate_of_machine() for _ in range(3)] == [2e10, 2e10, 3e10]
        speeds.remember({"draw": (10.0, 20.0)})
        monkeypatch.setattr(speeds, "matrix_rate", lambda: 1e8)
        assert speeds.rate_of_machine() == 3e10

    @pytest.mark.parametrize("text", ["{", '{"rate": "x"}', '{"rate": 1e300}', '{"rate": -1}'])
    def test_a_damaged_rate_is_measured_again(self, places, monkeypatch, text):
        (places / "cache/speeds.json").write_text(text)
        monkeypatch.setattr(speeds, "matrix_rate", lambda: 1e8)
        assert speeds.rate_of_machine() == 1e8


def test_measured_narrower_networks_are_those_of_profiles():
    # An argument that a profile changes would make its measured time another network's.
    pieces = set()
    for name, profile in (
        ("shallow_attention/comparators", "quick"),
        ("dense_mixed_attention/table5", "quick"),
        ("dense_mixed_attention/table9", "quick"),
        ("microexp_stcnn/as_published", "quick"),
        ("frame_networks/casme2", "quick"),
        ("frame_networks/casme2", "full"),
    ):
        for config in load_experiments(name, profile=profile):
            pieces |= {piece.kind for piece in forecast(config, "synthetic").pieces}
    methods = {"|".join(kind.split("|")[:2]) for kind in pieces}
    narrower = {kind for kind in speeds.MEASURED if " " in kind}
    assert len(narrower) > 5
    assert narrower <= methods
