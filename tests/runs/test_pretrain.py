"""Pretraining: who may be in it, what is kept, what every fold starts from."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

keras = pytest.importorskip("keras")
from mer_keras.config.files import load_experiments  # noqa: E402
from mer_keras.errors import (  # noqa: E402
    ConfigError,
    DatabaseNotFoundError,
    ProtocolError,
    ResultsError,
    UserError,
)
from mer_keras.runs import pretrain as room  # noqa: E402
from mer_keras.runs.context import compose  # noqa: E402
from mer_keras.runs.folder import MANIFEST  # noqa: E402
from mer_keras.runs.json_files import read_json, write_json  # noqa: E402
from mer_keras.runs.pretrain import (  # noqa: E402
    balanced,
    check_domain,
    check_subjects,
    pretrain,
)
from mer_keras.runs.run import run_experiment  # noqa: E402
from mer_keras.runs.verify import verify_fold  # noqa: E402
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


RESNET, ATTENTION = "resnet10", "micro_attention"


def small(*more, methods=(RESNET, ATTENTION)):
    (config,) = load_experiments("micro_attention/table2", profile="smoke", overrides=[*FEW, *more])
    own = [row for row in config.rows if row.method in methods]
    tree = config.model_dump(mode="json") | {"rows": [row.model_dump(mode="json") for row in own]}
    return type(config).model_validate(tree)


def context_of(*more):
    """What a run of the config reads, before anything is pretrained."""
    return compose(small(*more), "smoke", "synthetic", pretraining=False)


def plan_of(context, method):
    return next(plan for plan in context.config.plans if plan.method == method)


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
def context(cache):
    return context_of()


def test_one_backbone_is_trained_once_and_shared(context, monkeypatch):
    calls, real = [], Trainer.fit

    def count(self, *args, **kwargs):
        calls.append(self)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "fit", count)
    backbones = pretrain(context)
    networks = [plan.key for plan in context.config.plans if plan.config.network]
    assert set(backbones) == set(networks)
    assert len({backbone.file for backbone in backbones.values()}) == 1
    assert len(calls) == 1
    pretrain(context)
    assert len(calls) == 1
    record = next(iter(backbones.values())).record
    # Three frames of each clip of CK+ are images of their own.
    assert record["images"] + record["validation_images"] == sum(record["counts"].values())
    assert record["data_kind"] == "synthetic"
    pretrain(context_of("stages.0.train.epochs=2"))
    assert len(calls) == 2


def test_every_fold_starts_from_the_backbone_and_from_nothing_else(context):
    plan = plan_of(context, ATTENTION)
    backbones = pretrain(context)
    trainer = replace(context, backbones=backbones).method(plan).trainer
    given = {w.path: np.array(w) for w in backbones[plan.key].build().weights}
    starts = []
    for seed in (1, 2):
        trainer.reset(seed)
        starts.append({w.path: np.array(w) for w in trainer.network.weights})
        trainer.network.set_weights([np.array(w) + 1 for w in trainer.network.weights])
    own = [path for path in starts[0] if path not in given]
    assert own
    for path in starts[0]:
        if path in given:
            for start in starts:
                np.testing.assert_array_equal(start[path], given[path])
    # What the backbone lacks is drawn anew, by the fold's own seed.
    assert any(np.any(starts[0][path] != starts[1][path]) for path in own)


def test_the_head_is_carried_only_between_equal_classes(context):
    backbone = pretrain(context)[plan_of(context, RESNET).key]
    assert backbone.classes == context.classes
    head = np.array(backbone.build().get_layer("classes").kernel)
    for classes, carried in ((context.classes, True), (context.classes[::-1], False)):
        network = backbone.build()
        network.get_layer("classes").kernel.assign(head + 1)
        backbone.starter(classes)(network)
        same = np.array_equal(np.array(network.get_layer("classes").kernel), head)
        assert same == carried


def test_a_tested_subject_in_pretraining_is_refused(cache):
    with pytest.raises(ProtocolError, match="is tested later: take its database out"):
        pretrain(context_of("stages.0.sources=[{database: samm, labels: objective5}]"))


def test_nobody_shared_is_fine():
    stage = small().stages[0]
    one, other = (pd.DataFrame({"subject_id": [f"{d}/1", f"{d}/2"]}) for d in ("ckplus", "samm"))
    check_subjects(stage, one, other)
    with pytest.raises(ProtocolError, match="'samm/1' \\(2 in all\\)"):
        check_subjects(stage, other, other)


def with_clips(context, arrays):
    """The same context with other arrays of clips."""
    return replace(context, clips={"clips": replace(context.clips["clips"], arrays=arrays)})


def test_another_domain_is_refused(context):
    stage = small().stages[0]
    target = context.clips["clips"].arrays
    table = pd.DataFrame({"fps": [30.0]})
    check_domain(stage, table, target, context, "clips")
    with pytest.raises(ConfigError, match="input of shape"):
        check_domain(stage, table, target[:, :-1], context, "clips")
    with pytest.raises(ConfigError, match=r"inputs\.clips\.normalise"):
        check_domain(stage, table, target * 255, context, "clips")


@pytest.mark.parametrize(("fps", "fits"), [(200, True), (150, True), (30, False), (np.nan, True)])
def test_frame_rates_of_clips_must_be_alike(context, fps, fits):
    clips = np.zeros((4, 5, 8, 8, 1), "float32")
    target = with_clips(context, clips)
    table = pd.DataFrame({"fps": [fps]}, dtype=float)
    if fits:
        check_domain(small().stages[0], table, clips, target, "clips")
    else:
        with pytest.raises(ConfigError, match="30 frames a second"):
            check_domain(small().stages[0], table, clips, target, "clips")


def test_clips_of_different_lengths_are_refused(context):
    target = with_clips(context, [np.zeros((n, 8, 8, 1), "float32") for n in (3, 4)])
    with pytest.raises(ConfigError, match="different lengths"):
        check_domain(small().stages[0], pd.DataFrame(), np.zeros((1, 8, 8, 1)), target, "clips")


def test_an_absent_database_says_how_to_do_without(context, monkeypatch):
    monkeypatch.setattr(
        room,
        "load_samples",
        lambda *_: (_ for _ in ()).throw(DatabaseNotFoundError("database 'mug' not found")),
    )
    config = small("stages.0.sources=[{database: mug, labels: macro5}]")
    with pytest.raises(DatabaseNotFoundError, match=r"mug.*\n.*stages=\[\]"):
        pretrain(replace(context, config=config))


def test_a_start_from_given_weights(context, tmp_path):
    from mer_keras.models import registry

    network = registry.build("resnet10", (32, 32, 3), 1000)  # ImageNet's are of colour, too.
    file = tmp_path / "imagenet.npz"
    np.savez(file, **{w.path: np.array(w) for w in network.weights})
    plain, begun = pretrain(context), pretrain(context, initial=file)
    assert {b.file for b in plain.values()} != {b.file for b in begun.values()}
    assert not any(backbone.record["start_from"] for backbone in plain.values())
    assert all(backbone.record["start_from"] for backbone in begun.values())


def weight_file(folder, name="resnet10", shape=(32, 32, 1), **arguments):
    """A file with weights of a small network, all 0.5."""
    from mer_keras.models import registry

    network = registry.build(name, shape, 5, **arguments)
    file = folder / f"{name}.npz"
    np.savez(file, **{w.path: np.full(w.shape, 0.5, "float32") for w in network.weights})
    return file


def test_networks_without_a_stage_start_from_a_file_that_fits_them(cache, tmp_path):
    config = small("stages=[]")
    file = weight_file(tmp_path)
    context = compose(config, "smoke", "synthetic", initial=file)
    assert set(context.backbones) == {plan.key for plan in config.plans if plan.config.network}
    (record,) = context.stages.values()
    assert record["images"] == 0 and record["start_from"]
    trainer = context.method(plan_of(context, RESNET)).trainer
    trainer.reset(1)
    values = {w.path: np.array(w) for w in trainer.network.weights}
    assert (values["stem/kernel"] == 0.5).all()
    assert not (values["classes/kernel"] == 0.5).any(), "the head starts afresh"
    without = compose(config, "smoke", "synthetic")
    assert without.backbones is None
    assert without.run_id != context.run_id


def test_a_file_that_fits_nothing_is_refused(cache, tmp_path):
    file = weight_file(tmp_path, "ststnet", (28, 28, 3))
    with pytest.raises(UserError, match="holds nothing that fits a network of"):
        compose(small("stages=[]"), "smoke", "synthetic", initial=file)


def test_rows_that_are_quoted_are_not_in_the_stages_of_a_paper(context, tmp_path):
    config = context.config
    quoted = {"name": "f1", "value": 50, "metric": "war", "quoted": True}
    rows = [row.model_dump(mode="json") for row in config.rows]
    rows[0] = rows[0] | {"published": [quoted]}
    config = type(config).model_validate(config.model_dump(mode="json") | {"rows": rows})
    first, second = (plan.key for plan in config.plans if plan.config.network)
    changed = replace(context, config=config)
    assert set(pretrain(changed)) == {second}
    file = weight_file(tmp_path)
    starts = pretrain(changed, initial=file)
    assert starts[first].file == file
    assert starts[second].record["images"] > 0 and starts[second].record["start_from"]


def test_the_run_says_what_it_started_from(cache):
    with_stage = run_experiment(small(methods=[RESNET]), profile="smoke", data="synthetic")
    assert with_stage.manifest()["stages"][0]["stage"] == "macro-expressions"
    without = compose(small("stages=[]", methods=[RESNET]), "smoke", "synthetic")
    assert without.stages == {}
    assert with_stage.run_id != without.run_id
    assert verify_fold(with_stage).identical
    tree = read_json(with_stage.path / MANIFEST)
    tree["stages"][0]["data_kind"] = "public"
    write_json(with_stage.path / MANIFEST, tree)
    with pytest.raises(ResultsError, match="the manifest says stages="):
        verify_fold(with_stage)


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
