"""Plain values -> config models; what is wrong is said with the key, the value and the remedy."""

from collections.abc import Sequence
from typing import TypeVar, get_origin

from pydantic import BaseModel, ValidationError

from mer_keras.config.renamed import renamed_key
from mer_keras.config.yaml_text import Yaml
from mer_keras.errors import ConfigError, did_you_mean

#: Most letters of a key's path and of a value in a message: a file from anybody may have any.
_MOST_SHOWN = 200

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], tree: Yaml, where: str) -> Model:
    """Check a tree of values and return the model that it describes.

    Args:
        model: class of the model.
        tree: its values by name.
        where: stands before the message, such as a path.

    Raises:
        ConfigError: naming each key that is unknown, absent or has a wrong value.
    """
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"{where}: {explain(error, model)}") from error


def explain(error: ValidationError, model: type[BaseModel], at: Sequence[str] = ()) -> str:
    """Say what pydantic found, each with the key, the value and the remedy.

    Args:
        error: pydantic's.
        model: class of the model that was checked.
        at: where the model itself stands in the file, such as below ``train``.
    """
    lines = []
    for item in error.errors():
        path = ".".join(map(str, (*at, *item["loc"]))) or "config"
        path = _shortened(path)
        if item["type"] == "extra_forbidden":
            known = _fields_at(item["loc"][:-1], model)
            hint = (
                renamed_key(path, known)
                or did_you_mean(str(item["loc"][-1]), known)
                or f"; known: {', '.join(known)}"
            )
            lines.append(f"{path}: unknown key{hint}")
        else:
            # Mappings and lists are left out: the whole config may stand there.
            is_scalar = isinstance(item["input"], str | int | float | bool | None)
            value = f" (found {_shortened(repr(item['input']))})" if is_scalar else ""
            lines.append(f"{path}: {item['msg'].removeprefix('Value error, ')}{value}")
    return "; ".join(lines)


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _fields_at(location: Sequence[int | str], model: type[BaseModel]) -> list[str]:
    """Names of the fields of the model at a pydantic error location, from a model on."""
    is_name = False  # The part is a name that the file gives, such as that of an input.
    for part in location:
        if isinstance(part, int) or is_name:
            is_name = False
            continue
        if part not in model.model_fields:
            return []
        annotation = model.model_fields[part].annotation
        is_name = get_origin(annotation) is dict
        model = _model_in(annotation) or model
    return sorted(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The first model that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    models = map(_model_in, getattr(annotation, "__args__", ()))
    return next((model for model in models if model), None)
