"""What is said of a config that is not the shipped one."""

import pytest

from mer_keras.config.differences import differences
from mer_keras.config.files import load_experiments
from tests.config.small import SVM, experiment


def config(*overrides):
    (loaded,) = load_experiments("ststnet/megc2019", overrides=overrides)
    return loaded


def test_an_unchanged_config_has_none():
    assert differences(config(), config()) == ()


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["selection=test_fold"], ("selection=test_fold",)),
        (["train.epochs=3"], ("train.epochs=3",)),
        # A new block shows what it sets, not its defaults.
        (["train.augmentation.flip=0.5"], ("train.augmentation.flip=0.5",)),
        (["train.optimizer.learning_rate=1e-4"], ("train.optimizer.learning_rate=0.0001",)),
        (["inputs.clips.resize_to=56"], ("inputs.clips.resize_to=56",)),
        # Descriptions of methods that are left out aren't changes.
        (["baselines=[majority]"], ('baselines=["majority"]',)),
    ],
)
def test_what_was_set_is_said(overrides, expected):
    assert differences(config(), config(*overrides)) == expected


def test_a_value_that_goes_back_to_its_default_is_a_difference():
    assert differences(experiment(seeds=[3]), experiment()) == ("seeds=[0]",)


def test_of_a_block_that_is_gone_the_block_alone_is_said():
    (whole,) = load_experiments("shallow_convlstm/table1")
    (bare,) = load_experiments(
        "shallow_convlstm/table1", overrides=["train.augmentation=null", "train.plateau=null"]
    )
    assert differences(whole, bare) == ("train.augmentation=null", "train.plateau=null")
    (pretrained,) = load_experiments("micro_attention/table4")
    (random,) = load_experiments("micro_attention/table4", overrides=["stages=[]"])
    assert differences(pretrained, random) == ("stages=[]",)


def test_rows_are_compared_by_name_and_absent_ones_are_none():
    (whole,) = load_experiments("micro_attention/table4")
    part = whole.model_copy(update={"rows": whole.rows[-1:]})
    assert differences(whole, part) == ()
    row = whole.rows[-1].model_copy(update={"arguments": {"reading": "x"}})
    changed = whole.model_copy(update={"rows": (*whole.rows[:-1], row)})
    assert differences(whole, changed) == (f"rows.{row.name}.arguments.reading=x",)


def test_methods_are_compared_in_what_decides():
    def with_method(**changes):
        rows = [{"name": "own", "method": "svm"}]
        return experiment(rows=rows, methods={"svm": SVM | changes})

    assert differences(with_method(), with_method(facts=["x"], title="other")) == ()
    assert differences(with_method(), with_method(shuffled_labels=True)) == (
        "methods.svm.shuffled_labels=true",
    )


def test_words_change_nothing():
    other = config().model_copy(update={"caption": "x", "not_reproduced": ("y",)})
    assert differences(config(), other) == ()
