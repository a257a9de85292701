"""The list of keys: complete, each with a meaning, and true of what files may hold."""

import json

import pytest
import yaml

from mer_keras.config.experiment import Experiment
from mer_keras.config.files import experiment_names, find_config, method_names
from mer_keras.config.keys import config_keys
from mer_keras.config.method import MethodConfig
from mer_keras.config.yaml_text import read_yaml
from mer_keras.settings import experiment_roots

KEYS = {key.name: key for key in config_keys()}


def test_every_key_has_a_meaning_of_its_own_words():
    for name, key in KEYS.items():
        assert key.meaning.endswith("."), name
        assert len(key.meaning.split()) > 1 and key.meaning != name, name
        assert "``" not in key.meaning and "(see" not in key.meaning, name


def test_names_stand_once_and_below_their_blocks():
    names = [key.name for key in config_keys()]
    assert len(names) == len(set(names))
    for name in names:
        parts = name.split(".")[:-1]
        while parts and parts[-1] in ("N", "NAME"):
            parts.pop()
        assert not parts or ".".join(parts) in names, name


@pytest.mark.parametrize(
    ("name", "values", "default", "required"),
    [
        ("train.optimizer.name", "adam | sgd", '"adam"', False),
        ("train.epochs", "integer >= 1", None, True),
        ("train.plateau", "mapping | null", None, False),
        ("train.early_stopping.stop_at", "number > 0, <= 1 | null", "null", False),
        ("data.corrections", "true | false", "true", False),
        ("data.database", "text | list of text", None, True),
        ("stages.N.train", "as train", None, True),
        ("methods.NAME.inputs", "as inputs.NAME", None, False),
    ],
)
def test_what_a_key_takes(name, values, default, required):
    key = KEYS[name]
    assert (key.values, key.default, key.required) == (values, default, required)


def test_defaults_are_those_of_the_models():
    data = Experiment.model_fields["data"].annotation
    train = Experiment.model_fields["train"].annotation
    for block, model in (("data", data), ("train", train)):
        for name, field in model.model_fields.items():
            key = KEYS[f"{block}.{name}"]
            assert key.required == field.is_required()
            if key.default is not None:
                assert json.loads(key.default) == field.default


def keys_in(value, path=""):
    """Dotted keys of a file's tree."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}{name}"
            yield from keys_in(inner, f"{path}{name}.")
    elif isinstance(value, list):
        for inner in value:
            yield from keys_in(inner, f"{path}N.")


#: Mappings whose keys are arguments or names, which no list can know.
FREE = ("arguments", "classifier_arguments", "choices", "train", "profiles", "parts", "labels")


def test_every_key_of_the_shipped_files_is_listed():
    lists = {name.replace(".NAME.", ".*.") for name in KEYS}
    for name in experiment_names():
        for path in keys_in(read_yaml(find_config(name)[0])):
            parts = path.split(".")
            if any(part in FREE for part in parts[:-1]) and parts[0] != "train":
                continue
            if parts[0] in ("inputs", "methods") and len(parts) > 1:
                parts[1] = "*"
            assert ".".join(parts) in lists or parts[-1] == "*", f"{name}: {path}"


def test_the_keys_of_methods_are_listed():
    folder = experiment_roots()[-1] / "methods"
    names = {name.removeprefix("methods.NAME.") for name in KEYS if name.startswith("methods.")}
    assert {*MethodConfig.model_fields} <= names
    for method in method_names():
        tree = yaml.safe_load((folder / f"{method}.yaml").read_text())
        assert {*tree} <= names, method
