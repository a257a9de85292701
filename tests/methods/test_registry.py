"""All methods by name, and how rows are given theirs."""

import pytest

from mer_keras.config.experiment import Experiment
from mer_keras.config.files import experiment_names, load_experiments
from mer_keras.errors import ConfigError, UserError
from mer_keras.methods import registry
from mer_keras.methods.chance import ChanceMethod
from mer_keras.methods.classical import ClassicalMethod
from mer_keras.methods.network import GivenWeights, NetworkMethod
from mer_keras.methods.registry import (
    all_arguments,
    changes_clips,
    check_methods,
    chooses,
    describe_method,
    inputs_of,
    known_methods,
    make_method,
)
from mer_keras.methods.shuffled import ShuffledLabels
from mer_keras.models.registry import MODELS
from tests.config.small import SMALL, SVM, experiment


def plan_of(method=None, **row):
    """The plan of the single row of an experiment."""
    methods = {"own": method} if method else {}
    row = {"name": "row", "method": "own" if method else "resnet10", **row}
    (plan,) = experiment(rows=[row], methods=methods).plans
    return plan


@pytest.mark.parametrize("name", known_methods())
def test_every_method_can_be_described(name):
    method = describe_method(name)
    assert method.title
    if method.network:
        assert method.network.model in MODELS
    assert method.runs == bool(method.network or method.classical or method.chance)


@pytest.mark.parametrize("name", experiment_names())
def test_every_row_that_runs_has_its_method_and_inputs(name):
    for profile in ("full", "quick", "smoke"):
        for config in load_experiments(name, profile=profile):
            check_methods(config)
            for row in config.rows:
                described = row.method is None or row.method in config.methods
                assert described or describe_method(row.method)


def test_an_unknown_method_names_the_nearest():
    with pytest.raises(ConfigError, match=r"no method 'linear_smv'.*did you mean 'linear_svm'"):
        describe_method("linear_smv")


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        (
            "feature: pixel\n  classifier: linear_svm",
            "'pixels'.*add a line to FEATURES in mer_keras",
        ),
        ("classifier: svm", "no classifier 'svm'.*add a line to CLASSIFIERS in mer_keras"),
    ],
)
def test_a_method_is_not_described_without_its_feature_and_classifier(
    tmp_path, monkeypatch, block, complaint
):
    (tmp_path / "experiments/methods").mkdir(parents=True)
    file = tmp_path / "experiments/methods/own.yaml"
    file.write_text(f"title: Own\nclassical:\n  {block}\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=f"method 'own': .*{complaint}"):
        describe_method("own")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"rows": [{"name": "a", "method": "merannet"}]}, "a: no method.*did you mean 'meranet'"),
        ({"baselines": ["majorty"]}, "baselines: no method.*did you mean 'majority'"),
        ({"inputs": {"other": {"kind": "frames"}}}, "row 'own' reads input 'clips'"),
        (
            {
                "rows": [{"name": "a", "method": "svm", "arguments": {"x": 1}}],
                "methods": {"svm": SVM},
            },
            "row 'a': feature 'pixels' has no argument 'x'",
        ),
    ],
)
def test_what_an_experiment_lacks_is_told_with_the_row(changes, complaint):
    with pytest.raises(ConfigError, match=complaint):
        check_methods(experiment(**changes))


def test_methods_are_made_of_their_kind(tmp_path):
    kinds = [
        (SVM, {}, ClassicalMethod),
        ({"title": "t", "chance": {"strategy": "stratified"}}, {}, ChanceMethod),
        ({"title": "t", "network": {"model": "ststnet"}}, {}, NetworkMethod),
        ({"title": "t", "network": {"model": "ststnet"}}, {"weights": tmp_path}, GivenWeights),
        (SVM, {"weights": tmp_path}, ClassicalMethod),
        (SVM | {"shuffled_labels": True}, {}, ShuffledLabels),
    ]
    for method, options, kind in kinds:
        made = make_method(plan_of(method), lambda: (28, 28, 3), 3, **options)
        assert type(made) is kind


def test_weights_from_elsewhere_are_not_tested_as_if_trained_on_shuffled_labels(tmp_path):
    network = {"title": "t", "network": {"model": "ststnet"}, "shuffled_labels": True}
    with pytest.raises(ConfigError, match=r"shuffles the labels .* leave the row or the weights"):
        make_method(plan_of(network), lambda: (28, 28, 3), 3, weights=tmp_path)


def test_a_network_is_built_for_its_input_and_classes_with_the_rows_arguments():
    method = {"title": "t", "network": {"model": "micro_attention"}}
    made = make_method(plan_of(method, arguments={"attention": "none"}), lambda: (40, 40, 1), 5)
    assert made.trainer.network.input_shape == (None, 40, 40, 1)
    assert made.trainer.network.output_shape == (None, 5)
    attention = make_method(plan_of(method), lambda: (40, 40, 1), 5)
    assert made.parameters < attention.parameters


def test_a_classical_method_is_not_asked_for_its_shape():
    def shape():
        raise AssertionError

    make_method(plan_of(SVM), shape, 3)


def test_inputs_of_a_row_are_its_own_then_its_methods_then_its_networks():
    inputs = {name: {"kind": "frames"} for name in ("clips", "motion", "apex")}

    def names(method, **row):
        methods = {"own": method}
        rows = [{"name": "row", "method": "own", **row}]
        (plan,) = experiment(rows=rows, methods=methods, inputs=inputs).plans
        return inputs_of(plan)

    assert names(SVM) == ("clips",)
    assert names(SVM | {"input": "motion"}) == ("motion",)
    assert names(SVM | {"input": "motion"}, input="apex") == ("apex",)
    assert names(SVM, input=["clips", "motion"]) == ("clips", "motion")
    assert names({"title": "t", "network": {"model": "ststnet"}}) == MODELS["ststnet"].inputs


def test_a_network_that_is_unknown_is_told():
    plan = plan_of({"title": "t", "network": {"model": "ststne"}})
    with pytest.raises(UserError, match="did you mean 'ststnet'"):
        inputs_of(plan)


def test_what_validation_chooses():
    assert chooses(plan_of())
    assert not chooses(plan_of(SVM))
    choices = {"classifier": "linear_svm", "choices": {"C": [1, 2]}}
    assert chooses(plan_of({"title": "t", "classical": choices}))
    assert not chooses(plan_of({"title": "t", "chance": {"strategy": "stratified"}}))
    assert changes_clips(plan_of())
    assert not changes_clips(plan_of(SVM))


def test_a_method_that_is_only_described_is_not_made():
    quoted = {"title": "Old", "missing": "It needs a 3-D mesh."}
    config = experiment(rows=[{"name": "row", "method": "own"}], methods={"own": quoted})
    assert config.plans == ()
    plan = plan_of().__class__("row", "row", "row", "own", config.describe("own"), (), config.train)
    with pytest.raises(ConfigError, match="Old doesn't run here: It needs a 3-D mesh"):
        make_method(plan, lambda: (1,), 2)


def test_stored_experiments_need_no_files(tmp_path, monkeypatch):
    """A config that was stored brings the descriptions of its methods along."""
    (config,) = load_experiments("ststnet/megc2019")
    monkeypatch.setattr("mer_keras.config.files.experiment_roots", lambda: [tmp_path])
    check_methods(Experiment.model_validate(config.model_dump(mode="json")))


def test_what_cannot_run_is_told_before_anything_runs():
    with pytest.raises(ConfigError, match="'alexnet' is described but doesn't run"):
        check_methods(
            experiment(baselines=["alexnet"], methods={"alexnet": {"title": "Old", "missing": "-"}})
        )
    row = {"name": "row", "method": "resnet10", "input": ["clips", "clips"]}
    with pytest.raises(ConfigError, match="reads the inputs clips, clips, and its network takes 1"):
        check_methods(experiment(rows=[row]))


def test_fault_62_arguments_are_told_with_all_defaults():
    presets = {"attention": "none", "activation": "sigmoid", "batch_norm": "caffe"}
    assert all_arguments(plan_of()) == presets, "of the network"
    spatial = all_arguments(plan_of(arguments={"attention": "spatial"}))
    assert spatial == presets | {"attention": "spatial"}
    classical = all_arguments(plan_of(SVM))
    assert set(classical) == {"feature", "classifier"}
    assert "C" in classical["classifier"]
    with pytest.raises(ConfigError, match="no argument 'nope'"):
        all_arguments(plan_of(arguments={"nope": 1}))


def test_one_random_change_needs_inputs_of_one_size():
    """It is told with the row before any clip is read."""

    def check(frames, augmentation=True, **row):
        pictures = {"kind": "frames", "frames": frames, "size": 28}
        train = SMALL["train"] | ({"augmentation": {"flip": 0.5}} if augmentation else {})
        network = {"name": "both", "method": "m", "input": ["motion", "clips"], **row}
        method = {"title": "t", "network": {"model": "resnet10"}}
        config = experiment(
            inputs={"clips": pictures, "motion": {"kind": "flow", "size": 28}},
            rows=[network],
            methods={"m": method},
            train=train,
        )
        registry._check_augmentation(config, config.plans[0], ("motion", "clips"))

    check(frames=1)
    check(frames=9, augmentation=False)
    check(frames=9, train={"augmentation": None})
    with pytest.raises(ConfigError, match=r"row 'both': .*motion 28x28, clips 9x28x28: leave it"):
        check(frames=9)
