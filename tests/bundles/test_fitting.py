"""Fits to all clips: what is fixed beforehand, and what the stored run says of them."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from statistics import median

import numpy as np
import pytest

from mer_keras.arrays import take
from mer_keras.bundles.choices import Choice, choose
from mer_keras.bundles.fitting import fit, gather, train, write_bundle
from mer_keras.bundles.loading import load_bundle
from mer_keras.errors import ResultsError, UserError
from mer_keras.explanation.tested import explain
from mer_keras.report.scoring import SHOWN, score_row
from mer_keras.report.view import read_view
from mer_keras.runs.context import compose
from mer_keras.runs.folder import LEARNED, RunFolder
from mer_keras.runs.units import units_of
from mer_keras.terms import Selection
from mer_keras.training.trainer import Trainer
from tests.bundles.small import context_of, experiment, new_clips, plan_of
from tests.methods.small import clips, network
from tests.runs import small

SVM = "svm-of-several"
#: The small run of tests/runs with a classifier that chooses a value.
CHANGES = [
    "rows.1.name=SVM of several",
    "rows.1.method=svm_of_several",
    "rows.1.runs=true",
    "methods.svm_of_several={title: SVM, classical: {classifier: linear_svm, "
    "choices: {C: [1.0e-6, 1.0, 0.1]}}}",
    "train.epochs=3",
    "train.early_stopping={patience: 5}",
]


def config_of(*changes):
    return small.small(*CHANGES, *changes)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A small SAMM, a cache and results for the tests of this module."""
    pytest.importorskip("keras")
    root = tmp_path_factory.mktemp("fitting")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("data", "cache", "results"):
            (root / name).mkdir()
            patch.setenv(f"MER_{name.upper()}", str(root / name))
        small.write_database(root / "data")
        yield root


@pytest.fixture(scope="module")
def run(drawn):
    """A finished run that kept what its folds learned; tests only read it."""
    return small.run(config_of(), keep_learned=True)


@pytest.fixture(scope="module")
def context(run):
    """What the run read."""
    return compose(config_of(), "quick", "real")


def plan_in(context, row):
    return next(plan for plan in context.config.plans if plan.key == row)


@pytest.fixture(scope="module")
def bundles(run, context):
    """Fits to all clips of the run's network and classifier."""
    plans = {row: plan_in(context, row) for row in (small.NETWORK, SVM)}
    return {row: fit(context, choose(context, plan, run), run) for row, plan in plans.items()}


def units(run, row):
    return units_of(run.manifest(), run.folds())[row]


@pytest.mark.slow
@pytest.mark.timeout(600)
class TestWithARun:
    """What the folds of a stored run decide and say."""

    def test_the_median_epoch_of_the_folds_is_the_last_of_the_fit(self, run, bundles):
        card = bundles[small.NETWORK].card
        epochs = [run.record(unit)["epoch"] for unit in units(run, small.NETWORK)]
        assert len(epochs) == 3
        expected = max(1, round(median(epochs)))
        assert [member.epoch for member in card.members] == [expected]
        assert f"epoch {expected}, the median" in card.training.epochs
        assert card.training.run_id == run.run_id

    def test_the_commonest_choice_of_the_folds_is_taken(self, run, bundles):
        method = bundles[SVM].card.method
        counts = Counter(run.record(unit)["chosen"]["C"] for unit in units(run, SVM))
        assert counts[method.chosen["C"]] == max(counts.values())
        assert method.config.classical.classifier_arguments == method.chosen
        assert not method.config.classical.choices

    @pytest.mark.parametrize("row", [small.NETWORK, SVM])
    def test_the_estimate_is_what_the_report_shows(self, run, bundles, row):
        estimate = bundles[row].card.estimate
        view = read_view(run.path)
        state = next(entry for entry in view.rows if entry.key == row)
        for metric in SHOWN:
            value, stored = score_row(view, state).values[metric], estimate.metrics[metric]
            assert (stored.value, stored.low, stored.high) == (value.pooled, value.low, value.high)
        assert not estimate.of_these
        assert estimate.selection == Selection.INNER_SUBJECTS
        predictions = view.of_row(row)
        assert np.sum(estimate.confusion) == len(predictions)
        for entry, line in zip(estimate.classes, estimate.confusion, strict=True):
            own = predictions[predictions["label"] == entry.name]
            assert entry.clips == len(own) == sum(line)
            assert entry.recall == pytest.approx((own["predicted"] == entry.name).mean())
            decided = predictions[predictions["predicted"] == entry.name]
            precision = (decided["label"] == entry.name).mean() if len(decided) else 0
            assert entry.precision == pytest.approx(precision)
        assert [other.name for other in estimate.baselines] == ["majority class"]

    @pytest.mark.parametrize("row", [small.NETWORK, SVM])
    def test_the_folds_of_a_run_predict_what_it_stored(self, run, context, row, tmp_path):
        """A member is the method of its fold: it gives the fold's stored probabilities."""
        plan = plan_in(context, row)
        write_bundle(gather(context, plan, run), tmp_path / "folds.mer")
        bundle = load_bundle(tmp_path / "folds.mer")
        assert bundle.card.estimate.of_these
        votes = bundle.predict_inputs({"clips": context.inputs(plan)}).per_seed
        assert len(votes) == len(units(run, row)) == 3
        for number, unit in enumerate(units(run, row)):
            member = bundle.card.members[number]
            assert (member.seed, member.fold) == (unit.seed, unit.fold)
            tested = context.fold_rows(unit.fold).test
            stored = run.predictions([unit]).filter(like="prob_").to_numpy("float32")
            np.testing.assert_allclose(take(votes[number], tested), stored, atol=1e-5)

    @pytest.mark.long
    def test_a_run_without_weights_is_computed_again_with_them(self, run, drawn, monkeypatch):
        monkeypatch.setenv("MER_RESULTS", str(drawn / "others"))
        without = small.run(config_of())
        assert not (without.path / LEARNED).exists()
        with pytest.raises(UserError, match=r"has no weights: mer-keras run .* --keep-weights"):
            train(config_of(), profile="quick", data="real", row=SVM, from_run=without)
        unit = units(without, SVM)[0]
        before = without.predictions([unit])
        small.run(config_of(), keep_learned=True)
        assert without.learned(unit) is not None
        assert before.equals(without.predictions([unit]))

    @pytest.mark.long
    def test_an_explanation_needs_no_training_of_folds_whose_weights_are_kept(
        self, run, monkeypatch
    ):
        def no_training(*_, **__):
            raise AssertionError("the fold was trained again")

        monkeypatch.setattr(Trainer, "fit", no_training)
        explanation = explain(
            config_of(), profile="quick", data="real", rows=["Proposed ConvLSTM"], samples=()
        )
        assert [clip.as_stored for clip in explanation.explained] == [True] * 3

    def test_weights_of_folds_that_were_changed(self, run, context, tmp_path):
        copy = RunFolder(shutil.copytree(run.path, tmp_path / run.path.name))
        plan, unit = plan_in(context, SVM), units(copy, SVM)[0]
        file = copy.path / LEARNED / f"{unit.stem()}.npz"
        file.write_bytes(file.read_bytes()[:-1] + b"x")
        with pytest.raises(ResultsError, match="the file was changed"):
            gather(context, plan, copy)
        file.unlink()
        with pytest.raises(ResultsError, match="can't be read"):
            gather(context, plan, copy)

    @pytest.mark.long
    def test_a_run_of_other_settings(self, run):
        other = compose(config_of("train.epochs=2"), "quick", "real")
        with pytest.raises(UserError, match="not of the settings and clips"):
            gather(other, plan_in(other, SVM), run)

    def test_an_unfinished_row_decides_nothing(self, run, context, tmp_path):
        copy = RunFolder(shutil.copytree(run.path, tmp_path / run.path.name))
        (copy.path / "predictions" / f"{units(copy, small.NETWORK)[0].stem()}.json").unlink()
        with pytest.raises(UserError, match=r"mer-keras run shallow_convlstm/table1 --profile"):
            choose(context, plan_in(context, small.NETWORK), copy)


@pytest.mark.slow
def test_weights_that_were_trained_elsewhere(tmp_path):
    """Nothing is trained: the bundle predicts as the network with these weights."""
    build_small = pytest.importorskip("tests.models.small").build_small
    network = build_small("ststnet")
    file = tmp_path / "w.npz"
    np.savez(file, **{variable.path: np.array(variable) for variable in network.weights})
    context = context_of(experiment("ststnet"), weights=file)
    plan = plan_of(context.config)
    bundle = fit(context, choose(context, plan, None))
    clips = new_clips(bundle.card)
    expected = network.predict(clips["clips"], verbose=0)
    np.testing.assert_allclose(bundle.predict_inputs(clips).mean, expected, atol=1e-6)
    assert bundle.card.method.given_weights
    assert bundle.card.members[0].epoch == 0
    assert "trained elsewhere" in bundle.card.training.epochs


def test_without_a_run_there_is_no_estimate_and_it_is_said():
    config = experiment("linear_svm")
    card = fit(context_of(config), Choice(plan_of(config))).card
    assert card.estimate is None
    assert "no run of these settings and clips is stored" in card.estimate_missing
    assert card.is_synthetic
    assert card.training.class_counts == {"negative": 4, "positive": 4, "surprise": 4}
    fps, seconds = card.footage.fps, card.footage.seconds
    assert (fps.least, fps.median, fps.greatest) == (100, 105.5, 111)
    assert seconds.least == pytest.approx(20 / 100)
    assert seconds.greatest == pytest.approx(31 / 111)


def test_without_a_run_training_subjects_choose():
    method = {
        "title": "several",
        "classical": {"classifier": "linear_svm", "choices": {"C": [1e-6, 1.0]}},
    }
    config = experiment("linear_svm", methods={"linear_svm": method})
    context = context_of(config)
    choice = choose(context, plan_of(config), None)
    bundle = fit(context, choice)
    assert bundle.card.method.chosen["C"] in (1e-6, 1.0)
    assert "folds of their subjects" in bundle.card.training.epochs


@pytest.mark.parametrize(
    ("selection", "epochs"), [("last_epoch", 7), ("test_fold", 7), ("inner_subjects", None)]
)
def test_the_last_epoch_unless_held_back_clips_chose(selection, epochs):
    config = experiment(
        "ststnet",
        train={"optimizer": {"learning_rate": 0.1}, "epochs": 7, "batch_size": 4},
        selection=selection,
    )
    context = context_of(config)
    if epochs is None:
        with pytest.raises(UserError, match="no finished run says which epochs"):
            choose(context, plan_of(config), None)
        return
    choice = choose(context, plan_of(config), None)
    assert choice.epochs == epochs
    assert ("tested clips" in choice.why) == (selection == "test_fold")


def test_the_same_training_gives_the_same_file(svm, tmp_path):
    bundle, file = svm
    config = experiment("linear_svm")
    again = fit(context_of(config), Choice(plan_of(config)))
    assert write_bundle(again, tmp_path / "again.mer") == bundle.digest
    assert (tmp_path / "again.mer").read_bytes() == file.read_bytes()


def test_several_seeds_vote():
    config = experiment("stratified")
    bundle = fit(context_of(config), Choice(plan_of(config)), seeds=3)
    assert [member.seed for member in bundle.card.members] == [0, 1, 2]
    votes = bundle.predict_inputs({"clips": np.zeros((50, 32, 32, 3), "float32")})
    assert votes.per_seed.shape == (3, 50, 3)
    assert len({of_seed.tobytes() for of_seed in votes.per_seed}) == 3
    np.testing.assert_allclose(votes.mean, votes.per_seed.mean(axis=0))


def test_the_row_is_named_where_there_are_several():
    rows = [{"name": name, "method": "linear_svm"} for name in ("one", "two")]
    config = experiment("linear_svm", rows=rows)
    with pytest.raises(UserError, match="several rows: give one of small/one:one, small/one:two"):
        train(config, profile="quick")
    with pytest.raises(UserError, match="no row 'three'"):
        train(config, profile="quick", row="three")


def test_a_full_disk_or_a_folder_that_cannot_be_written(svm, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be written"):
        write_bundle(svm[0], tmp_path / "file" / "b.mer")


@pytest.mark.slow
def test_a_fit_that_ends_early_is_the_beginning_of_the_whole_one():
    """Also where the learning rate falls towards the end of the whole training."""
    x, y = clips()
    whole, early = (network(epochs=4, cosine={"final_learning_rate": 0.0}) for _ in range(2))
    after = []
    whole.fit(x, y, seed=3, on_epoch=lambda epoch, epochs: after.append(whole.learned()))
    record = early.fit(x, y, seed=3, epochs=2)
    assert record.epoch == 2
    assert len(after) == 4
    for name, array in early.learned().arrays.items():
        np.testing.assert_array_equal(array, after[1].arrays[name])


def test_a_card_is_read_as_it_was_written(svm):
    card = svm[0].card
    assert type(card).model_validate(json.loads(card.model_dump_json())) == card
    assert replace(Choice(plan_of(experiment("linear_svm")))).epochs is None
