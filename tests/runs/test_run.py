"""Config -> run on clips in memory: stored, resumable, without leaks."""

import json
import platform
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("keras")
from mer_keras.clips.assemble import ClipArrays
from mer_keras.databases.samples import Excluded, make_samples
from mer_keras.errors import ConfigError, FrameError
from mer_keras.models.registry import MODELS
from mer_keras.runs import context as context_room
from mer_keras.runs import plan as plan_room
from mer_keras.runs import samples as samples_room
from mer_keras.runs.context import compose, keep_common
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.plan import describe_plan
from mer_keras.runs.run import run_experiment
from mer_keras.runs.tasks import fold_seed
from mer_keras.runs.verify import verify_fold
from mer_keras.terms import DataKind
from mer_keras.training.trainer import Trainer
from tests.runs.small import BASELINE, NETWORK, contents, small, stored, unit, units

ROOT = Path(__file__).parents[2]
CLASSES = ["positive", "negative", "surprise"]
PROBABILITIES = [f"prob_{name}" for name in CLASSES]
BALANCED = ("train.balance=oversample", "train.augmentation={flip: 0.5, brightness: 0.1}")


@pytest.fixture(scope="module")
def arrays():
    """Loud clips of three classes: 12 subjects with five clips each."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "database": "samm",
            "subject": f"{subject:03}",
            "clip": f"c{clip}",
            "path": "unused",
            "emotion": emotion,
            "data_kind": DataKind.SYNTHETIC,
        }
        for subject in range(12)
        for clip, emotion in enumerate(["happiness", "anger", "anger", "fear", "surprise"])
    ]
    samples = make_samples(rows, source="test")
    return samples, rng.random((len(rows), 28, 28, 3)).astype("float32")


def replace_data(patch, arrays):
    """Let every database be these clips."""
    samples, clips = arrays
    patch.setattr(samples_room.databases, "find", lambda name: None)
    patch.setattr(samples_room.databases, "load", lambda name, root=None, **options: samples)
    patch.setattr(samples_room.stand_ins, "ensure", lambda *_, **__: None)
    # There are no frames whose size could be looked up.
    patch.setattr(plan_room, "loading_bytes", lambda recipe, table: 0)
    patch.setattr(
        context_room,
        "load_clips",
        lambda given, clip, policies, progress=None: ClipArrays(tuple(given.ids), clips),
    )


@pytest.fixture
def run(places, arrays, monkeypatch):
    """Return a function that runs a config on ``arrays``."""
    replace_data(monkeypatch, arrays)

    def do(config=None, **options):
        return run_experiment(config or small(), profile="quick", **options)

    return do


@pytest.fixture(scope="module")
def finished(arrays, tmp_path_factory):
    """The folder of a whole run on ``arrays``; tests only read it."""
    with pytest.MonkeyPatch.context() as patch:
        replace_data(patch, arrays)
        patch.setenv("MER_RESULTS", str(tmp_path_factory.mktemp("finished")))
        return run_experiment(small(), profile="quick")


@pytest.fixture
def copied(run, finished, places):
    """A copy of the whole run where ``run`` will look for it."""
    shutil.copytree(finished.path, places / "results" / finished.path.name)


def compose_small(*changes):
    return compose(small(*changes), "quick")


def test_every_sample_is_tested_once_by_every_row(finished, arrays):
    predictions = stored(finished)
    assert set(predictions["row"]) == {NETWORK, BASELINE}
    for _, part in predictions.groupby("row"):
        assert sorted(part["sample_id"]) == sorted(arrays[0].ids)
    np.testing.assert_allclose(predictions[PROBABILITIES].sum(axis=1), 1, atol=1e-5)
    emotions = dict(zip(arrays[0].table["sample_id"], arrays[0].table["emotion"], strict=True))
    expected = {"happiness": "positive", "surprise": "surprise"}
    for row in predictions.itertuples():
        assert row.label == expected.get(emotions[row.sample_id], "negative")
    assert set(predictions["data_kind"]) == {"synthetic"}
    selections = predictions.groupby("row")["selection"].unique()
    assert list(selections[NETWORK]) == ["inner_subjects"]
    assert list(selections[BASELINE]) == ["last_epoch"], "there is nothing to choose"


def test_manifest_says_what_each_row_is(finished):
    network, baseline = finished.manifest()["rows"]
    assert (network["name"], network["role"]) == ("Proposed ConvLSTM", "row")
    assert (baseline["name"], baseline["role"]) == ("majority class", "baseline")
    records = {row: finished.record(unit(row)) for row in (NETWORK, BASELINE)}
    assert records[NETWORK]["parameters"] > 1000
    assert records[BASELINE]["parameters"] is None


def test_manifest_names_no_path_and_no_host(finished):
    text = json.dumps(finished.manifest())
    assert str(finished.path.parent) not in text
    assert str(Path.home()) not in text
    assert platform.node() not in text or len(platform.node()) < 4


def test_a_second_call_trains_nothing(run, copied, finished, monkeypatch):
    monkeypatch.setattr(Trainer, "fit", lambda *_, **__: pytest.fail("trained again"))
    assert contents(run().path) == contents(finished.path)


def test_progress_names_rows_as_readers_see_them(run, copied, places):
    for row in (NETWORK, BASELINE):
        (lost,) = places.glob(f"results/*/predictions/{unit(row).stem()}.parquet")
        lost.unlink()
    reports = []
    run(progress=lambda *report: reports.append(report))
    assert {("Proposed ConvLSTM", 1, 1), ("majority class", 1, 1)} <= set(reports)
    assert not {NETWORK, BASELINE} & {title for title, *_ in reports}


def test_fault_41_an_interrupted_run_goes_on_and_ends_the_same(run, finished, places, monkeypatch):
    real, calls = Trainer.fit, []

    def stop_at_second(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "fit", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        run()
    folder = RunFolder(next((places / "results").iterdir()))
    assert len(stored(folder)) < len(stored(finished))
    monkeypatch.setattr(Trainer, "fit", real)
    assert contents(run().path) == contents(finished.path)


def test_any_fold_rerun_alone_gives_the_same(run, copied, finished, places):
    (lost,) = places.glob(f"results/*/predictions/{unit(fold='fold-2').stem()}.parquet")
    lost.unlink()
    assert contents(run().path) == contents(finished.path)


def test_given_weights_are_evaluated_and_marked(run, finished, tmp_path):
    from mer_keras.models import registry

    network = registry.build("ststnet", (28, 28, 3), 3)
    file = tmp_path / "net.weights.h5"
    network.save_weights(file)
    folder = run(weights=file)
    predictions = stored(folder)
    own = predictions[predictions["row"] == NETWORK]
    assert set(own["selection"]) == {"external"}
    assert set(own["epoch"]) == {0}
    assert folder.manifest()["selection"] == "external"
    assert folder.run_id != finished.run_id


class TestFault56:
    """What would become one key, one folder or one file is an error before anything runs."""

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            (["seeds=[0, 1, 0]"], "seeds must differ"),
            (["baselines=[majority, majority]"], "baselines must differ"),
            (
                ["rows.1={name: Proposed  ConvLSTM!, method: ststnet}"],
                "would have one key, 'proposed-convlstm'",
            ),
            (
                ["rows.0.name=微表情", "rows.1={name: 表情, method: ststnet}"],
                "would have one key, 'x'",
            ),
            (
                [
                    f"rows.0.name={'a' * 60} one",
                    f"rows.1={{name: {'a' * 60} two, method: ststnet}}",
                ],
                f"one key, '{'a' * 60}'",
            ),
            (["rows.0.name=Baseline (majority)"], "one key, 'baseline-majority'"),
        ],
    )
    def test_fault_56_names_that_become_one_key_are_refused(self, run, places, changes, said):
        with pytest.raises(ConfigError, match="(?s)" + said):
            run(small(*changes))
        assert not list((places / "results").iterdir())

    def test_fault_56_names_that_differ_a_little_run_side_by_side(self, run):
        changes = ["rows.1={name: Proposed ConvLSTM 2, method: ststnet}", "seeds=[0, 1]"]
        folder = run(small(*changes, "train.epochs=1", "baselines=[]"))
        assert len({unit.stem() for unit in units(folder)}) == 2 * 2 * 3
        assert all(map(folder.is_done, units(folder)))


def test_rows_of_a_fold_are_its_clips_each_once(run):
    context = compose_small()
    ids = np.array(context.sample_ids)
    for fold in context.folds.folds:
        rows = context.fold_rows(fold.name)
        for part in ("train", "val", "test"):
            assert tuple(ids[getattr(rows, part)]) == getattr(fold, part)
        assert rows.copies is None


def test_fault_40_copies_are_made_of_training_clips_alone(run, monkeypatch):
    """What ``fit`` is given of a fold are its training clips; copies can be of nothing else."""
    context = compose_small(*BALANCED)
    array = context.clips["clips"].arrays
    trained = []
    real = Trainer.fit

    def spy(self, x, y, **rest):
        trained.append({clip.tobytes() for clip in x})
        return real(self, x, y, **rest)

    monkeypatch.setattr(Trainer, "fit", spy)
    run(small(*BALANCED))
    assert len(trained) == 3
    for fold, clips in zip(context.folds.folds, trained, strict=True):
        rows = context.fold_rows(fold.name)
        assert clips == {clip.tobytes() for clip in array[rows.train]}


def test_fold_seeds_depend_on_seed_and_name_only():
    seeds = {fold_seed(s, f) for s in range(5) for f in ("a", "b", "smic/s01")}
    assert len(seeds) == 15
    assert fold_seed(0, "a") == fold_seed(0, "a") < 2**31


class TestIdentity:
    def test_fault_62_whatever_decides_results_makes_another_run(self, run):
        one = compose_small()
        louder = {name: replace(c, arrays=c.arrays + 1) for name, c in one.clips.items()}
        fewer = replace(one.samples, table=one.samples.table.iloc[1:])
        others = [
            replace(one, clips=louder),
            replace(one, samples=fewer),
            replace(one, profile="full"),
            replace(one, config=small("train.epochs=3")),
            replace(one, folds=replace(one.folds, folds=one.folds.folds[1:])),
        ]
        assert len({context.run_id for context in (one, *others)}) == 1 + len(others)
        assert compose_small().run_id == one.run_id

    def test_fault_62_a_default_that_changes_makes_another_run(self, run, monkeypatch):
        from mer_keras.config import experiment as config_room

        before = compose_small().run_id
        clip = small().inputs["clips"]
        assert "align" not in clip.model_fields_set, "the config leaves it to its default"
        changed = {"clips": clip.model_copy(update={"align": not clip.align})}
        other = small().model_copy(update={"inputs": {**small().inputs, **changed}})
        assert compose(other, "quick").run_id != before
        monkeypatch.setattr(config_room, "SCHEMA_VERSION", config_room.SCHEMA_VERSION + 1)
        assert compose_small().run_id != before


class TestInputs:
    """All rows are tested on the same clips: those that every input could load."""

    def test_clips_that_one_input_lacks_are_left_out_with_their_reason(self, arrays):
        samples, clips = arrays
        lost = Excluded("samm", samples.ids[7], "apex.jpg: zero bytes")
        some = [i for i in range(len(samples.ids)) if i != 7]
        inputs = {
            "clips": ClipArrays(tuple(samples.ids), clips, warnings=("remark",)),
            "motion": ClipArrays(
                tuple(samples.ids[i] for i in reversed(some)),
                clips[some[::-1]],
                excluded=(lost,),
                warnings=("remark",),
            ),
        }
        kept, ordered = keep_common(samples, inputs)
        ids = tuple(samples.ids[i] for i in some)
        assert tuple(kept.table["sample_id"]) == ids
        assert [(e.clip, e.reason) for e in kept.excluded] == [
            (samples.ids[7], "input motion: apex.jpg: zero bytes")
        ]
        assert kept.warnings.count("remark") == 1
        for arrays_of_input in ordered.values():
            assert arrays_of_input.sample_ids == ids
            np.testing.assert_array_equal(arrays_of_input.arrays, clips[some])

    def test_no_common_clip_is_an_error(self, arrays):
        samples, clips = arrays
        inputs = {
            "clips": ClipArrays(tuple(samples.ids[:3]), clips[:3]),
            "motion": ClipArrays(tuple(samples.ids[3:]), clips[3:]),
        }
        with pytest.raises(FrameError, match="all of the inputs clips, motion"):
            keep_common(samples, inputs)

    def test_only_the_inputs_that_a_row_reads_are_loaded(self, run):
        assert set(compose_small().clips) == {"clips"}
        assert set(compose_small("baselines=[flow_svm]").clips) == {"clips", "motion"}

    def test_an_input_that_is_not_there_is_named(self, run):
        with pytest.raises(ConfigError, match="reads input 'sound', which is not among"):
            run(small("rows.0.input=sound"))


def test_plan_counts_steps(run):
    plan = describe_plan(small(*BALANCED), "auto")
    assert len(plan["folds"]) == 3
    assert sum(f["test"] for f in plan["folds"]) == plan["n_samples"] == 60
    expected = 2 * sum(-(-f["fitted"] // 16) for f in plan["folds"])
    assert plan["steps"] == expected
    assert plan["clips_mib"] == pytest.approx(60 * 28 * 28 * 3 * 4 / 2**20, abs=0.06)
    assert plan["disk_mib"] == pytest.approx(plan["clips_mib"] / 4 + 6 * 20_000 / 2**20, abs=0.1)
    assert plan["estimated_seconds"] >= 0
    assert plan["subject_exclusive"]
    assert plan["stages"] == []


def test_the_estimate_of_a_network_without_counts_is_of_the_built_one(run, monkeypatch):
    known = describe_plan(small(), "auto")
    spec = MODELS["ststnet"].model_copy(update={"multiply_accumulates": None})
    monkeypatch.setitem(MODELS, "ststnet", spec)
    monkeypatch.setattr("mer_keras.runs.expectation.rate_of_machine", lambda: 1e3)
    counted = describe_plan(small(), "auto")
    assert counted["steps"] == known["steps"] and counted["estimated_seconds"] > 10_000
    monkeypatch.setattr("mer_keras.training.trainer.Trainer.multiply_accumulates", None)
    unknown = describe_plan(small(), "auto")
    assert unknown["estimated_seconds"] < 60, "what is known remains"
    assert "row 'Proposed ConvLSTM' is not in the time" in unknown["notes"][-1]


def test_the_estimate_grows_with_the_work(run):
    short, long = (describe_plan(small(f"train.epochs={n}"), "auto") for n in (2, 20_000))
    assert long["steps"] == 10_000 * short["steps"]
    # Loading clips, building and tracing take as long in both.
    assert long["estimated_seconds"] > 20 * max(short["estimated_seconds"], 1)


class TestCopiesOfTestedClips:
    @pytest.fixture(scope="class")
    def plain_and_with_copies(self, arrays, tmp_path_factory):
        with pytest.MonkeyPatch.context() as patch:
            replace_data(patch, arrays)
            patch.setenv("MER_RESULTS", str(tmp_path_factory.mktemp("copies")))
            start = partial(run_experiment, profile="quick")
            return tuple(
                stored(start(small(*BALANCED, f"evaluate_augmented={tested}")))
                for tested in ("false", "true")
            )

    def test_they_balance_the_whole_set_and_stand_apart(self, plain_and_with_copies, arrays):
        """36 negative clips, 12 of each other class: 24 copies of each of the others."""
        _, predictions = plain_and_with_copies
        network = predictions[predictions["row"] == NETWORK]
        copies = network[network["is_copy"].astype(bool)]
        originals = network[~network["is_copy"].astype(bool)]
        assert copies["label"].value_counts().to_dict() == {"positive": 24, "surprise": 24}
        assert copies.groupby("sample_id").size().eq(2).all()
        assert sorted(originals["sample_id"]) == sorted(arrays[0].ids)
        # A copy belongs to the fold that tests its clip.
        fold_of = originals.set_index("sample_id")["fold"]
        assert (copies["fold"].to_numpy() == fold_of[copies["sample_id"]].to_numpy()).all()
        assert not predictions[predictions["row"] == BASELINE]["is_copy"].any()

    def test_they_are_changed_as_in_training(self, plain_and_with_copies):
        _, predictions = plain_and_with_copies
        network = predictions[predictions["row"] == NETWORK]
        originals = network[~network["is_copy"].astype(bool)].set_index("sample_id")
        copies = network[network["is_copy"].astype(bool)]
        before = originals.loc[copies["sample_id"], PROBABILITIES].to_numpy()
        difference = np.abs(before - copies[PROBABILITIES].to_numpy()).max(axis=1)
        assert (difference > 1e-6).mean() > 0.9

    def test_the_clips_own_predictions_stay_the_same(self, plain_and_with_copies):
        plain, with_copies = plain_and_with_copies
        originals = with_copies[~with_copies["is_copy"].astype(bool)].reset_index(drop=True)
        pd.testing.assert_frame_equal(plain[PROBABILITIES], originals[PROBABILITIES])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sequential", "vectorised"])
class TestTrajectory:
    """``record_epochs``: the tested clips' probabilities after every epoch, through a whole run."""

    CHANGES = ("record_epochs=true", "train.plateau=null", "train.folds_at_once=2")

    @pytest.fixture(scope="class")
    def whole(self, arrays, tmp_path_factory):
        """Runs by engine, made once each."""
        runs = {}

        def do(engine):
            if engine not in runs:
                with pytest.MonkeyPatch.context() as patch:
                    replace_data(patch, arrays)
                    patch.setenv("MER_RESULTS", str(tmp_path_factory.mktemp(engine)))
                    runs[engine] = run_experiment(self.config(engine), profile="quick")
            return runs[engine]

        return do

    def config(self, engine, *changes):
        engine = f"train.engine={engine}"
        return small("selection=last_epoch", "train.epochs=3", engine, *self.CHANGES, *changes)

    def test_its_last_epoch_is_what_is_reported(self, whole, engine):
        folder = whole(engine)
        for one in units(folder):
            predictions, trajectory = folder.predictions([one]), folder.trajectory(one)
            if one.row == BASELINE:
                assert trajectory is None, "there are no epochs"
                continue
            assert trajectory.shape == (3, len(predictions), 3)
            expected = predictions[PROBABILITIES].to_numpy("float32")
            np.testing.assert_array_equal(trajectory[-1], expected)
            assert (trajectory[0] != trajectory[-1]).any()

    def test_the_kept_epoch_of_another_rule_is_in_it(self, run, engine):
        stopping = "train.early_stopping={patience: 1, monitor: accuracy}"
        folder = run(self.config(engine, "selection=inner_subjects", stopping, "train.epochs=5"))
        for fold in folder.folds().folds:
            one = unit(fold=fold.name)
            predictions, trajectory = folder.predictions([one]), folder.trajectory(one)
            epoch = int(predictions["epoch"].iloc[0])
            assert len(trajectory) == len(folder.record(one)["history"]["loss"])
            expected = predictions[PROBABILITIES].to_numpy("float32")
            np.testing.assert_allclose(trajectory[epoch - 1], expected, atol=1e-6)

    def test_fault_41_a_run_that_goes_on_stores_the_same_bytes(
        self, run, whole, engine, monkeypatch
    ):
        real, stored_units = RunFolder.store, []

        def killed(self, *args, **kwargs):
            if len(stored_units) == 2:
                raise KeyboardInterrupt
            stored_units.append(args[0])
            real(self, *args, **kwargs)

        monkeypatch.setattr(RunFolder, "store", killed)
        with pytest.raises(KeyboardInterrupt):
            run(self.config(engine))
        monkeypatch.setattr(RunFolder, "store", real)
        before, after = contents(whole(engine).path), contents(run(self.config(engine)).path)
        assert sum(name.endswith(".npy") for name in after) == 3
        assert after == before

    def test_it_changes_nothing_else(self, run, whole, engine):
        plain = run(self.config(engine, "record_epochs=false"))
        assert not list(plain.path.rglob("*.npy"))
        columns = ["sample_id", *PROBABILITIES]
        pd.testing.assert_frame_equal(stored(plain)[columns], stored(whole(engine))[columns])

    def test_verify_computes_it_again(self, run, whole, engine):
        assert verify_fold(whole(engine)).identical
