"""What a row was trained with: lines of one method that differ in it are told apart by it."""

from collections.abc import Sequence
from typing import TypeAlias, cast

from pydantic import JsonValue

from mer_keras.config.experiment import Experiment, RowPlan
from mer_keras.config.leaves import leaves
from mer_keras.config.training import EXACT, Precision, with_precision
from mer_keras.methods.registry import inputs_of
from mer_keras.names import slug

#: Dotted keys and values of all that decides what a method is and how it is trained.
Settings: TypeAlias = tuple[tuple[str, object], ...]

#: Keys of the two settings that have words of their own.
_EPOCHS, _PRECISION = "train.epochs", "train.precision"
#: Fields of a recipe that change how it is computed and, but for rounding, no result.
_COMPUTING = {"engine", "folds_at_once", "jit_compile", "data_parallel"}
#: Fields of a method that describe it.
_DESCRIBING = {"title", "paper", "about", "missing", "claims", "facts", "train", "inputs"}


def settings_of(config: Experiment, plan: RowPlan) -> Settings:
    """All settings of a row; the recipe of an experiment is none of a method without a network."""
    tree = {"method": plan.method, **plan.config.model_dump(mode="json", exclude=_DESCRIBING)}
    tree["inputs"] = inputs_read(config, plan)
    if plan.config.network is not None:
        tree["train"] = plan.recipe.model_dump(mode="json", exclude=_COMPUTING)
    return tuple((key, str(value)) for key, value in leaves(tree))


def inputs_read(config: Experiment, plan: RowPlan) -> dict[str, JsonValue]:
    """The clip recipe of each input that a row's method reads, by name."""
    recipes = {name: config.inputs.get(name) for name in inputs_of(plan)}
    return {
        name: None if recipe is None else recipe.model_dump(mode="json")
        for name, recipe in recipes.items()
    }


def precision_of(settings: Settings) -> Precision:
    """Format of numbers within the network; float32 for a method without one."""
    return cast(Precision, dict(settings).get(_PRECISION, EXACT))


def titles_of(name: str, lines: Sequence[Settings]) -> list[str]:
    """Names of the lines of one method, each other than all others.

    A line has its epochs in its name where those of the method's lines differ, and its number
    format where that isn't float32. What else differs is in it only where these leave two lines
    alike.

    Args:
        name: the method.
        lines: settings of each line.
    """
    found = [dict(settings) for settings in lines]
    lengths = {of_line.get(_EPOCHS) for of_line in found}
    titles = []
    for of_line, settings in zip(found, lines, strict=True):
        length = f", {of_line[_EPOCHS]} epochs" if len(lengths) > 1 and _EPOCHS in of_line else ""
        titles.append(with_precision(name + length, precision_of(settings)))
    whole = []
    for title, of_line in zip(titles, found, strict=True):
        alike = [other for other, same in zip(found, titles, strict=True) if same == title]
        keys = sorted({key for other in alike for key in other})
        differing = [key for key in keys if len({other.get(key) for other in alike}) > 1]
        words = [f"{_short(key)} {of_line.get(key, 'none')}" for key in differing]
        whole.append(", ".join([title, *words]))
    return whole


def changed_in(config: Experiment, key: str) -> tuple[str, ...]:
    """What the row of a key changes in its method's recipe, but for the two that are shown apart.

    Example: ``("batch_size 32", "order shuffled")``.
    """
    row = next((row for row in config.rows if slug(row.name) == key), None)
    changes = leaves({"train": dict(row.train)}) if row is not None and row.train else ()
    return tuple(
        f"{_short(key)} {value}" for key, value in changes if key not in (_EPOCHS, _PRECISION)
    )


def _short(key: str) -> str:
    return key.removeprefix("train.").removeprefix("optimizer.")
