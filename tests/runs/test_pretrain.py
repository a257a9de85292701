"""Pretraining: who may be in it, what is kept, what every fold starts from."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

keras = pytest.importorskip("keras")
from mer_keras.config.files import load_experiments  # noqa: E402
from mer_keras.errors import ConfigError, DatabaseNotFoundError, ProtocolError  # noqa: E402
from mer_keras.runs import pretrain as room  # noqa: E402
from mer_keras.runs.prepare import prepare  # noqa: E402
from mer_keras.runs.pretrain import (  # noqa: E402
    balanced,
    check_domain,
    check_subjects,
    pretrain,
)
from mer_keras.runs.run import run_experiment  # noqa: E402
from mer_keras.runs.tasks import make_trainer  # noqa: E402
from mer_keras.synthetic import stand_ins  # noqa: E402
from mer_keras.training.trainer import Trainer  # noqa: E402

pytestmark = pytest.mark.slow

FEW = [
    "data.synthetic_clips=30",
    "stages.0.synthetic_clips=10",
    "baselines=[majority]",
    "train.epochs=1",
    "stages.0.sources=[{database: ckplus, labels: macro5, frames: 3, sampling: last},"
    " {database: jaffe, labels: macro5}]",
]


def small(*more):
    (config,) = load_experiments("micro_attention/table2", profile="smoke", overrides=[*FEW, *more])
    own = [row for row in config.rows if row.model in ("resnet10", "micro_attention")]
    return config.model_copy(update={"rows": tuple(own)})


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A cache in which the drawn databases lie, written once."""
    root = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MER_CACHE", str(root))
        for name, clips in (("casme2", 30), ("samm", 30), ("ckplus", 10), ("jaffe", 10)):
            stand_ins.ensure(name, stand_ins.StandInOptions(clips=clips))
    return root


@pytest.fixture
def cache(written, places, monkeypatch):
    monkeypatch.setenv("MER_CACHE", str(written))
    return places


@pytest.fixture
def prepared(cache):
    return prepare(small(), "synthetic")


def test_one_trunk_is_trained_once_and_shared(prepared, monkeypatch):
    config, calls, real = small(), [], Trainer.fit_predict

    def count(self, *args, **kwargs):
        calls.append(self)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "fit_predict", count)
    trunks = pretrain(config, prepared)
    assert set(trunks) == {row.name for row in config.rows}
    assert len({trunk.file for trunk in trunks.values()}) == 1
    assert len(calls) == 1
    pretrain(config, prepared)
    assert len(calls) == 1
    record = next(iter(trunks.values())).record
    # three frames of each clip of CK+ are images of their own
    assert record["images"] + record["held_back"] == sum(record["counts"].values())
    assert record["data_kind"] == "synthetic"
    pretrain(small("stages.0.train.epochs=2"), prepared)
    assert len(calls) == 2


def test_every_fold_starts_from_the_trunk_and_from_nothing_else(prepared):
    config = small()
    trunk = pretrain(config, prepared)[config.rows[1].name]
    assert config.rows[1].model == "micro_attention"
    trainer = make_trainer(config, config.rows[1].name, prepared, trunk)
    given = {w.path: np.array(w) for w in trunk.build().weights}
    starts = []
    for seed in (1, 2):
        trainer.reset(seed)
        starts.append({w.path: np.array(w) for w in trainer.network.weights})
        trainer.network.set_weights([np.array(w) + 1 for w in trainer.network.weights])
    units = [path for path in starts[0] if path not in given]
    assert units
    for path in starts[0]:
        if path in given:
            for start in starts:
                np.testing.assert_array_equal(start[path], given[path])
    # what the trunk lacks is drawn anew, by the fold's own seed
    assert any(np.any(starts[0][path] != starts[1][path]) for path in units)


def test_the_head_is_carried_only_between_equal_classes(prepared):
    config = small()
    trunk = pretrain(config, prepared)[config.rows[0].name]
    assert trunk.classes == prepared.classes
    head = np.array(trunk.build().get_layer("classes").kernel)
    for classes, carried in ((prepared.classes, True), (prepared.classes[::-1], False)):
        trainer = make_trainer(
            config, config.rows[0].name, replace(prepared, classes=classes), trunk
        )
        trainer.reset(0)
        same = np.array_equal(np.array(trainer.network.get_layer("classes").kernel), head)
        assert same == carried


def test_a_tested_subject_in_pretraining_is_refused(cache):
    config = small("stages.0.sources=[{database: samm, labels: objective5}]")
    with pytest.raises(ProtocolError, match="is tested later: take its database out"):
        pretrain(config, prepare(config, "synthetic"))


def test_nobody_shared_is_fine():
    stage = small().stages[0]
    one, other = (pd.DataFrame({"subject_id": [f"{d}/1", f"{d}/2"]}) for d in ("ckplus", "samm"))
    check_subjects(stage, one, other)
    with pytest.raises(ProtocolError, match="'samm/1' \\(2 in all\\)"):
        check_subjects(stage, other, other)


def test_another_domain_is_refused(prepared):
    stage = small().stages[0]
    target = prepared.clips.arrays
    table = pd.DataFrame({"fps": [30.0]})
    check_domain(stage, table, target, prepared)
    with pytest.raises(ConfigError, match="input of shape"):
        check_domain(stage, table, target[:, :-1], prepared)
    with pytest.raises(ConfigError, match=r"data\.clip\.normalise"):
        check_domain(stage, table, target * 255, prepared)


@pytest.mark.parametrize(("fps", "fits"), [(200, True), (150, True), (30, False), (np.nan, True)])
def test_frame_rates_of_clips_must_be_alike(prepared, fps, fits):
    clips = replace(prepared.clips, arrays=np.zeros((4, 5, 8, 8, 1), "float32"))
    target = replace(prepared, clips=clips)
    table = pd.DataFrame({"fps": [fps]}, dtype=float)
    if fits:
        check_domain(small().stages[0], table, clips.arrays, target)
    else:
        with pytest.raises(ConfigError, match="30 frames a second"):
            check_domain(small().stages[0], table, clips.arrays, target)


def test_an_absent_database_says_how_to_do_without(cache, monkeypatch):
    config = small("stages.0.sources=[{database: mug, labels: macro5}]")
    prepared = prepare(small(), "synthetic")
    monkeypatch.setattr(
        room,
        "load_samples",
        lambda *_: (_ for _ in ()).throw(DatabaseNotFoundError("database 'mug' not found")),
    )
    with pytest.raises(DatabaseNotFoundError, match=r"mug.*\n.*stages=\[\]"):
        pretrain(config, prepared)


def test_a_start_from_given_weights(prepared, tmp_path):
    from mer_keras.models import registry

    network = registry.build("resnet10", (32, 32, 3), 1000)  # colour, as ImageNet's are
    file = tmp_path / "imagenet.npz"
    np.savez(file, **{w.path: np.array(w) for w in network.weights})
    plain = pretrain(small(), prepared)
    begun = pretrain(small(), prepared, initial=file)
    assert {t.file for t in plain.values()} != {t.file for t in begun.values()}
    assert not any(trunk.record["start_from"] for trunk in plain.values())
    assert all(trunk.record["start_from"] for trunk in begun.values())


def test_weights_without_a_stage_are_refused(cache, tmp_path):
    with pytest.raises(ConfigError, match="no stage of pretraining"):
        run_experiment(
            small("stages=[]"), profile="smoke", data="synthetic", initial=tmp_path / "x.npz"
        )


def test_the_run_says_what_it_started_from(cache):
    with_stage = run_experiment(small(), profile="smoke", data="synthetic")
    without = run_experiment(small("stages=[]"), profile="smoke", data="synthetic")
    assert with_stage.manifest()["stages"][0]["stage"] == "macro-expressions"
    assert without.manifest()["stages"] == []
    assert with_stage.run_id != without.run_id


class TestBalance:
    table = pd.DataFrame(
        {"sample_id": [f"s{i}" for i in range(60)], "label": ["a"] * 40 + ["b"] * 15 + ["c"] * 5}
    )

    @pytest.mark.parametrize(
        ("how", "per_class", "expected"),
        [
            ("none", None, (40, 15, 5)),
            ("none", 10, (10, 10, 5)),
            ("subsample", None, (5, 5, 5)),
            ("subsample", 3, (3, 3, 3)),
        ],
    )
    def test_counts(self, how, per_class, expected):
        chosen = balanced(self.table, how, per_class)
        counts = self.table.iloc[chosen]["label"].value_counts()
        assert tuple(counts[name] for name in "abc") == expected
        assert len(set(chosen)) == len(chosen)

    def test_the_order_of_the_table_does_not_matter(self):
        turned = self.table.iloc[::-1].reset_index(drop=True)
        ids = set(self.table.iloc[balanced(self.table, "subsample", 4)]["sample_id"])
        assert ids == set(turned.iloc[balanced(turned, "subsample", 4)]["sample_id"])
