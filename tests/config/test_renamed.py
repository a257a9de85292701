"""Keys of former configs: each is told what it is called now, in a file and on the command line."""

import copy

import pytest

from mer_keras.config.files import load_experiments
from mer_keras.config.overrides import assign
from mer_keras.config.renamed import RENAMED
from mer_keras.errors import ConfigError
from tests.config.small import FILE

#: Where each renamed key stood, and what is said of it.
OLD = {
    "inputs.motion.flow.at": "renamed to 'compute_size'",
    "inputs.motion.flow.form": "renamed to 'output'",
    "inputs.clips.enlarged": "renamed to 'resize_to'",
    "train.cosine.to": "renamed to 'final_learning_rate'",
    "stages.0.train.cosine.to": "renamed to 'final_learning_rate'",
    "stages.0.held_back": "renamed to 'validation_split'",
    "stages.0.held_back_by": "renamed to 'validation_split_by'",
    "stages.0.per_class": "renamed to 'images_per_class'",
    "data.tree": "renamed to 'frame_source'",
    "data.signal": "renamed to 'synthetic_motion'",
    "covers": "renamed to 'also_reproduces'",
    "protocol.draw": "renamed to 'seed'",
    "rows.0.model": "renamed to 'method'",
    "data.clip": "unknown key; write inputs.clips instead: clip",
    "data.clip.size": "unknown key; write inputs.clips instead: clip",
    "train.inner_fraction": "unknown key; write protocol.inner_fraction instead",
    "rows.1.quoted": "unknown key; write it into each published number instead",
}


def test_every_renamed_key_is_tested():
    last_parts = {path.rpartition(".")[2] for path in OLD}
    assert set(RENAMED["same_block"]) <= last_parts
    assert set(RENAMED["other_block"]) <= set(OLD) | last_parts


@pytest.mark.parametrize(("path", "message"), OLD.items())
def test_it_is_told_on_the_command_line(add, path, message):
    with pytest.raises(ConfigError, match=message):
        load_experiments("paper/table1", overrides=[f"{path}=1"])


@pytest.mark.parametrize(("path", "message"), OLD.items())
def test_it_is_told_in_a_file_that_is_named(add, path, message):
    tree = copy.deepcopy(FILE) | {"name": "paper/old"}
    assign(tree, path, 1, "test")
    file = add("paper/old", tree)
    with pytest.raises(ConfigError, match=message) as caught:
        load_experiments("paper/old")
    assert str(file.relative_to(file.parents[2])) in str(caught.value)


@pytest.mark.parametrize("path", ["data.clip.size", "covers"])
def test_it_is_told_in_a_profile(add, path):
    add("paper/old", FILE | {"name": "paper/old", "profiles": {"full": {path: 1}}})
    with pytest.raises(ConfigError, match=r"was renamed to|instead"):
        load_experiments("paper/old")


def test_a_key_that_is_still_used_elsewhere_is_not_called_renamed(add):
    with pytest.raises(ConfigError, match=r"train\.at: unknown key") as caught:
        load_experiments("paper/table1", overrides=["train.at=1"])
    assert "renamed" not in str(caught.value)
