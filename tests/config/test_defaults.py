"""No default changes unnoticed: it would make equal configs give other results (fault 62)."""

import inspect
import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from mer_keras.config import data, experiment, inputs, method, protocol, training
from mer_keras.config.files import load_config

ROOT = Path(__file__).parents[2]
STORED = Path(__file__).with_name("defaults.json")
ROOMS = (data, experiment, inputs, method, protocol, training)


def defaults():
    """Every default of every config model, by ``Model.field``."""
    models = {
        name: model
        for room in ROOMS
        for name, model in vars(room).items()
        if inspect.isclass(model) and issubclass(model, BaseModel) and model.model_fields
    }
    values = {}
    for name, model in sorted(models.items()):
        for field, info in model.model_fields.items():
            if not info.is_required():
                value = info.get_default(call_default_factory=True)
                value = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
                values[f"{name}.{field}"] = json.loads(json.dumps(value))
    return {"schema": experiment.SCHEMA_VERSION, "defaults": values}


def test_fault_62_defaults_are_the_stored_ones():
    """To store them anew: ``python -m tests.config.test_defaults``."""
    stored, today = json.loads(STORED.read_text()), defaults()
    changed = {
        key
        for key in stored["defaults"].keys() | today["defaults"].keys()
        if stored["defaults"].get(key, "absent") != today["defaults"].get(key, "absent")
    }
    assert not changed, (
        f"defaults changed: {', '.join(sorted(changed))}. If stored configs now mean something "
        "else, raise SCHEMA_VERSION in config/experiment.py; then store the defaults anew with "
        "python -m tests.config.test_defaults"
    )
    assert stored["schema"] == today["schema"], "store the defaults anew with the new version"


@pytest.mark.parametrize(
    "changes",
    [
        {"record_epochs": True},
        {"seeds": (1,)},
        {"evaluate_augmented": True},
        {"not_reproduced": ()},
    ],
)
def test_fault_62_the_digest_holds_what_a_file_leaves_out(changes):
    config = load_config(ROOT / "experiments/shallow_convlstm/table1.yaml")
    assert not changes.keys() & config.model_fields_set - {"not_reproduced"}
    assert config.model_copy(update=changes).digest() != config.digest()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fault_62_a_default_of_any_block_is_in_the_digest():
    """Each field of each block that the file leaves to its default, changed alone."""
    config = load_config(ROOT / "experiments/shallow_convlstm/table1.yaml")
    for block in ("data", "train", "protocol"):
        model = getattr(config, block)
        for field in set(type(model).model_fields) - model.model_fields_set:
            other = model.model_copy(update={field: "another value"})
            digest = config.model_copy(update={block: other}).digest()
            assert digest != config.digest(), f"{block}.{field}"


def test_fault_62_the_digest_holds_the_schema_version(monkeypatch):
    config = load_config(ROOT / "experiments/shallow_convlstm/table1.yaml")
    before = config.digest()
    monkeypatch.setattr(experiment, "SCHEMA_VERSION", experiment.SCHEMA_VERSION + 1)
    assert config.digest() != before


if __name__ == "__main__":
    STORED.write_text(json.dumps(defaults(), indent=1, sort_keys=True) + "\n")
