"""Config -> run on a small synthetic database: stored, resumable, without leaks."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("keras")
from mer_keras.clips.assemble import ClipArrays
from mer_keras.config.files import load_config
from mer_keras.databases.samples import make_samples
from mer_keras.errors import ConfigError, DatabaseNotFoundError, InvariantError
from mer_keras.runs import prepare as prepare_room
from mer_keras.runs.folder import RunFolder, Unit, units_of
from mer_keras.runs.manifest import fold_seed, make_manifest
from mer_keras.runs.plan import describe_plan
from mer_keras.runs.prepare import Prepared, fold_data, load_samples, prepare
from mer_keras.runs.run import run_experiment
from mer_keras.synthetic import stand_ins
from mer_keras.terms import DataKind
from mer_keras.training.fold import FoldFailedError
from mer_keras.training.trainer import Trainer

ROOT = Path(__file__).parents[2]
TABLE1 = ROOT / "experiments/shallow_convlstm/table1.yaml"
SMALL = [
    "data.clip.size=12",
    "data.clip.frames=3",
    "train.epochs=1",
    "protocol.k=3",
    "baselines=[majority]",
]


def small(*more):
    return load_config(TABLE1, profile="quick", overrides=[*SMALL, *more])


@pytest.fixture(scope="module")
def arrays():
    """Loud clips of three classes: 12 subjects with five clips each."""
    rng = np.random.default_rng(0)
    rows, clips = [], []
    for subject in range(12):
        for clip, emotion in enumerate(["happiness", "anger", "anger", "fear", "surprise"]):
            rows.append(
                {
                    "database": "samm",
                    "subject": f"{subject:03}",
                    "clip": f"c{clip}",
                    "path": "unused",
                    "emotion": emotion,
                    "data_kind": DataKind.SYNTHETIC,
                }
            )
            clips.append(rng.random((3, 12, 12, 1)))
    samples = make_samples(rows, source="test")
    return samples, np.array(clips, "float32")


@pytest.fixture
def run(places, arrays, monkeypatch):
    """Return a function that runs a config on ``arrays``."""
    samples, clips = arrays
    monkeypatch.setattr(prepare_room.databases, "find", lambda name: None)
    monkeypatch.setattr(prepare_room.databases, "load", lambda name, root=None, **options: samples)
    monkeypatch.setattr(prepare_room.stand_ins, "ensure", lambda *_, **__: None)
    monkeypatch.setattr(
        prepare_room,
        "load_clips",
        lambda given, clip, policies, progress=None: ClipArrays(tuple(samples.ids), clips, (), ()),
    )

    def do(config=None, **options):
        return run_experiment(config or small(), profile="quick", **options)

    return do


def stored(folder):
    units = units_of(folder.manifest(), folder.folds())
    return folder.predictions([unit for of_row in units.values() for unit in of_row])


def test_every_sample_is_tested_once_by_every_row(run, arrays):
    folder = run()
    predictions = stored(folder)
    assert set(predictions["row"]) == {"proposed-convlstm", "baseline-majority"}
    for _, part in predictions.groupby("row"):
        assert sorted(part["sample_id"]) == sorted(arrays[0].ids)
    classes = ["positive", "negative", "surprise"]
    sums = predictions[[f"prob_{name}" for name in classes]].sum(axis=1)
    np.testing.assert_allclose(sums, 1, atol=1e-5)
    labels = dict(zip(arrays[0].table["sample_id"], arrays[0].table["emotion"], strict=True))
    expected = {"happiness": "positive", "surprise": "surprise"}
    for row in predictions.itertuples():
        assert row.label == expected.get(labels[row.sample_id], "negative")
    assert set(predictions["data_kind"]) == {"synthetic"}
    assert set(predictions["selection"]) == {"inner_subjects", "last_epoch"}


def test_manifest_names_no_path_and_no_host(run, places):
    import platform

    text = json.dumps(run().manifest())
    assert str(places) not in text
    assert str(Path.home()) not in text
    assert platform.node() not in text or len(platform.node()) < 4


def test_a_second_call_trains_nothing(run, monkeypatch):
    folder = run()
    before = stored(folder)
    monkeypatch.setattr(Trainer, "fit_predict", lambda *_: pytest.fail("trained again"))
    pd.testing.assert_frame_equal(stored(run()), before)


def test_fault_41_an_interrupted_run_goes_on_and_ends_the_same(run, places, monkeypatch):
    whole = stored(run())
    monkeypatch.setenv("MER_RESULTS", str(places / "other"))
    real, calls = Trainer.fit_predict, []

    def stop_at_second(self, *args):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, *args)

    monkeypatch.setattr(Trainer, "fit_predict", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        run()
    folder = RunFolder(next((places / "other").iterdir()))
    assert len(stored(folder)) < len(whole)
    monkeypatch.setattr(Trainer, "fit_predict", real)
    pd.testing.assert_frame_equal(stored(run()), whole)


def test_any_fold_rerun_alone_gives_the_same(run):
    folder = run()
    before = stored(folder)
    unit = Unit("proposed-convlstm", 0, "fold-2")
    next(folder.path.glob(f"predictions/{unit.stem()}.parquet")).unlink()
    pd.testing.assert_frame_equal(stored(run()), before)


def test_fault_43_a_failing_fold_fails_alone(run, monkeypatch):
    real = Trainer.fit_predict
    count = []

    def fail_first(self, *args):
        count.append(1)
        if len(count) == 1:
            raise FoldFailedError("the loss became nan")
        return real(self, *args)

    monkeypatch.setattr(Trainer, "fit_predict", fail_first)
    folder = run()
    assert folder.failure(Unit("proposed-convlstm", 0, "fold-1")) == "the loss became nan"
    assert folder.is_done(Unit("proposed-convlstm", 0, "fold-2"))


def test_given_weights_are_evaluated_and_marked(run, tmp_path):
    from mer_keras.models import registry

    network = registry.build("shallow_convlstm", (3, 12, 12, 1), 3)
    file = tmp_path / "net.weights.h5"
    network.save_weights(file)
    folder = run(weights=file)
    predictions = stored(folder)
    own = predictions[predictions["row"] == "proposed-convlstm"]
    assert set(own["selection"]) == {"external"}
    assert set(own["epoch"]) == {0}
    assert folder.manifest()["selection"] == "external"
    assert folder.run_id != run().run_id


def test_only_training_ids_are_copied(run, arrays):
    prepared = prepare(small(), "auto")
    for fold in prepared.folds.folds:
        data = fold_data(prepared, fold, "oversample", seed=1)
        counts = np.bincount(data.y_train)
        assert len(set(counts)) == 1
        assert (~data.is_copy).sum() == len(fold.train)
        held = {clip.tobytes() for clip in np.concatenate([data.x_val, data.x_test])}
        assert not held & {clip.tobytes() for clip in data.x_train}


def test_fault_40_a_copy_from_outside_train_breaks_the_invariant(run, monkeypatch):
    prepared = prepare(small(), "auto")
    fold = prepared.folds.folds[0]
    leaking = [*fold.train, fold.test[0]]
    monkeypatch.setattr(
        prepare_room, "oversample", lambda *_: (leaking, np.zeros(len(leaking), bool))
    )
    with pytest.raises(InvariantError, match="not a training id") as caught:
        fold_data(prepared, fold, "oversample", seed=1)
    assert caught.value.exit_code == 3


def test_fold_seeds_depend_on_seed_and_name_only():
    seeds = {fold_seed(s, f) for s in range(5) for f in ("a", "b", "smic/s01")}
    assert len(seeds) == 15
    assert fold_seed(0, "a") == fold_seed(0, "a") < 2**31


def test_changed_data_make_another_run(run, arrays):
    one = prepare(small(), "auto")
    ids = make_manifest(small(), "quick", one)["run_id"]
    changed = ClipArrays(one.clips.sample_ids, one.clips.arrays + 1, (), ())
    other = Prepared(one.samples, one.classes, changed, one.folds)
    assert make_manifest(small(), "quick", other)["run_id"] != ids


def test_two_processes_give_all_folds(places):
    config = small("baselines=[]", "train.balance=none", "train.augmentation=null")
    stand_ins.write("samm", places / "data" / "SAMM", stand_ins.StandInOptions(clips=24, size=24))
    folder = run_experiment(config, profile="quick", data="real", workers=2)
    assert len(set(stored(folder)["fold"])) == 3


def test_absent_database_says_what_to_do(places):
    with pytest.raises(DatabaseNotFoundError, match="data howto samm"):
        load_samples(small().data, "real")


def test_contradictions(places):
    flow = load_config(ROOT / "experiments/ststnet/megc2019.yaml")
    with pytest.raises(ConfigError, match="no synthetic megc2019_flow"):
        load_samples(flow.data, "synthetic")


def test_plan_counts_steps(run):
    plan = describe_plan(small(), "auto")
    assert len(plan["folds"]) == 3
    assert sum(f["test"] for f in plan["folds"]) == plan["n_samples"] == 60
    expected = sum(-(-f["fitted"] // 16) for f in plan["folds"])
    assert plan["steps"] == expected
    assert plan["clips_mib"] == pytest.approx(60 * 3 * 12 * 12 * 4 / 2**20, abs=0.06)
    assert plan["disk_mib"] == pytest.approx(plan["clips_mib"] / 4 + 6 * 20_000 / 2**20, abs=0.1)
    assert plan["estimated_seconds"] >= 0
    assert plan["subject_exclusive"]
    assert plan["stages"] == []


def test_the_estimate_grows_with_the_work(run):
    short, long = (describe_plan(small(f"train.epochs={n}"), "auto") for n in (2, 20_000))
    assert long["steps"] == 10_000 * short["steps"]
    assert long["estimated_seconds"] > 100 * max(short["estimated_seconds"], 1)


def test_pooled_databases_need_the_same_classes(places):
    config = small("data.database=[samm, casme2]", "data.labels={samm: samm3, casme2: casme2_5}")
    with pytest.raises(ConfigError, match="samm3 and casme2_5 have different classes"):
        prepare(config, "synthetic")


@pytest.mark.parametrize(("present", "kind"), [(("samm", "smic"), "real"), (("samm",), "drawn")])
def test_databases_are_real_together_or_drawn_together(places, monkeypatch, present, kind):
    """One absent database and all are drawn: real and drawn clips are never pooled."""
    asked = []
    monkeypatch.setattr(
        prepare_room.databases, "find", lambda name: Path("there") if name in present else None
    )
    monkeypatch.setattr(prepare_room.stand_ins, "ensure", lambda name, *_: asked.append(name))

    def stop(*_, **__):
        raise StopIteration

    monkeypatch.setattr(prepare_room.databases, "load", stop)
    data = small("data.database=[samm, smic]", "data.labels={samm: cde3_samm, smic: smic3}").data
    with pytest.raises(StopIteration):
        load_samples(data, "auto")
    assert bool(asked) == (kind == "drawn")


def test_a_clip_without_flow_is_said_not_to_move(run, arrays, monkeypatch):
    """An unreadable onset must not end a run whose networks don't need it."""
    samples, clips = arrays
    kept = np.arange(len(samples.ids)) != 7

    def load(given, clip, policies, progress=None):
        if clip.kind == "frames":
            return ClipArrays(tuple(samples.ids), clips)
        flow = np.ones((kept.sum(), 28, 28, 1), "float32")
        return ClipArrays(tuple(np.array(samples.ids)[kept]), flow)

    monkeypatch.setattr(prepare_room, "load_clips", load)
    prepared = prepare(small("baselines=[flow_svm]"), "auto")
    assert prepared.motion.sample_ids == tuple(samples.ids)
    assert prepared.motion.select([samples.ids[7]]).max() == 0
    assert prepared.motion.select(list(np.array(samples.ids)[kept])).min() == 1


class TestCopiesOfTestedClips:
    def test_they_balance_the_whole_set_and_stand_apart(self, run, arrays):
        """36 negative clips, 12 of each other class: 24 copies of each of the others."""
        predictions = stored(run(small("evaluate_augmented=true")))
        network = predictions[predictions["row"] == "proposed-convlstm"]
        copies = network[network["is_copy"].astype(bool)]
        assert copies["label"].value_counts().to_dict() == {"positive": 24, "surprise": 24}
        assert copies.groupby("sample_id").size().eq(2).all()
        assert sorted(network[~network["is_copy"].astype(bool)]["sample_id"]) == sorted(
            arrays[0].ids
        )
        # a copy belongs to the fold that tests its clip
        fold_of = network[~network["is_copy"].astype(bool)].set_index("sample_id")["fold"]
        assert (copies["fold"].to_numpy() == fold_of[copies["sample_id"]].to_numpy()).all()
        baseline = predictions[predictions["row"] == "baseline-majority"]
        assert not baseline["is_copy"].any()

    def test_they_are_changed_as_in_training(self, run):
        predictions = stored(run(small("evaluate_augmented=true")))
        network = predictions[predictions["row"] == "proposed-convlstm"]
        original = network[~network["is_copy"].astype(bool)].set_index("sample_id")
        copies = network[network["is_copy"].astype(bool)]
        columns = [f"prob_{name}" for name in ("positive", "negative", "surprise")]
        before = original.loc[copies["sample_id"], columns].to_numpy()
        assert (np.abs(before - copies[columns].to_numpy()).max(axis=1) > 1e-6).mean() > 0.9

    def test_the_clips_own_predictions_stay_the_same(self, run):
        plain, with_copies = stored(run()), stored(run(small("evaluate_augmented=true")))
        originals = with_copies[~with_copies["is_copy"].astype(bool)].reset_index(drop=True)
        columns = [c for c in plain if c.startswith("prob_")]
        pd.testing.assert_frame_equal(plain[columns], originals[columns])
