"""What a row was trained with: lines of one method that differ in it are told apart by it."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TypeAlias, cast

from pydantic import JsonValue, ValidationError

from mer_keras.config.experiment import Experiment, RowPlan, merge
from mer_keras.config.files import experiment_names, load_experiments, load_method
from mer_keras.config.leaves import leaves
from mer_keras.config.training import EXACT, Precision, Train, with_precision
from mer_keras.methods.registry import inputs_of
from mer_keras.names import slug

#: Dotted keys and values of all that decides what a method is and how it is trained.
Settings: TypeAlias = tuple[tuple[str, str], ...]

#: Keys of the two settings that have words of their own.
_EPOCHS, _PRECISION = "train.epochs", "train.precision"
#: Names, among settings, the weights from elsewhere that networks started from.
_STARTED = "started_from"
#: Digits of the digest of such weights that a line shows.
_DIGITS = 8
#: Fields of a recipe that change how it is computed and, but for rounding, no result.
_COMPUTING = {"engine", "folds_at_once", "jit_compile", "data_parallel"}
#: Fields of a recipe that a method brings with a whole one.
_WHOLE = {"optimizer", "epochs", "batch_size"}
#: Fields of a method that describe it.
_DESCRIBING = {"title", "paper", "about", "missing", "claims", "facts", "train", "inputs"}


def settings_of(config: Experiment, plan: RowPlan, started_from: Sequence[str] = ()) -> Settings:
    """All settings of a row; the recipe of an experiment is none of a method without a network.

    Args:
        config: the experiment.
        plan: the row.
        started_from: digests of weights from elsewhere that its networks started from.
    """
    tree = {"method": plan.method, **plan.config.model_dump(mode="json", exclude=_DESCRIBING)}
    tree["inputs"] = inputs_read(config, plan)
    tree["inner_fraction"] = config.protocol.inner_fraction
    if plan.config.network is not None:
        tree["train"] = plan.recipe.model_dump(mode="json", exclude=_COMPUTING)
        if plan.key not in config.quoted_keys:  # Networks of other papers are not pretrained.
            tree["stages"] = [stage.model_dump(mode="json") for stage in config.stages]
        tree |= _started(started_from)
    return tuple(sorted((key, str(value)) for key, value in leaves(tree)))


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
    """Names of the lines of one method; lines of other settings have other names.

    A line has its epochs in its name where those of the method's lines differ, and its number
    format where that isn't float32. What else differs is in it only where these leave two lines
    alike.

    Args:
        name: the method.
        lines: settings of each line.
    """
    trees = [dict(settings) for settings in lines]
    lengths = {tree.get(_EPOCHS) for tree in trees}
    titles = []
    for tree, settings in zip(trees, lines, strict=True):
        length = f", {tree[_EPOCHS]} epochs" if len(lengths) > 1 and _EPOCHS in tree else ""
        titles.append(with_precision(name + length, precision_of(settings)))
    names = []
    for title, tree in zip(titles, trees, strict=True):
        twins = [other for other, of_other in zip(trees, titles, strict=True) if of_other == title]
        keys = sorted({key for twin in twins for key in twin})
        differences = [key for key in keys if len({twin.get(key) for twin in twins}) > 1]
        words = [f"{_short(key)} {tree.get(key, 'none')}" for key in differences]
        names.append(", ".join([title, *words]))
    return names


def changed_in(
    config: Experiment, plan: RowPlan, started_from: Sequence[str] = ()
) -> tuple[str, ...]:
    """What a row changes in its method's recipe, but for the two that are shown apart.

    The recipe is this version's, or else the one that the experiment describes. That of a method
    which brings none is its experiment's in profile ``full``; where this version doesn't have the
    experiment, what the row itself sets is a change.

    Args:
        config: the experiment.
        plan: the row.
        started_from: digests of weights from elsewhere that its networks started from.

    Example: ``("batch_size 32", "order shuffled")``.
    """
    if plan.config.network is None:
        return ()
    own = _own_recipe(config, plan)
    if own is not None:
        run = dict(leaves(plan.recipe.model_dump(mode="json", exclude=_COMPUTING)))
        same = dict(leaves(own.model_dump(mode="json", exclude=_COMPUTING)))
        changes = {key: run.get(key) for key in run.keys() | same if run.get(key) != same.get(key)}
    else:
        row = next((row for row in config.rows if slug(row.name) == plan.key), None)
        changes = dict(leaves(dict(row.train))) if row is not None and row.train else {}
    changes |= _started(started_from)
    return tuple(
        f"{_short(key)} {value}"
        for key, value in sorted(changes.items())
        if f"train.{key}" not in (_EPOCHS, _PRECISION)
    )


def _own_recipe(config: Experiment, plan: RowPlan) -> Train | None:
    """The recipe that a row's method has unless a table changes it; ``None`` if it isn't known."""
    described = load_method(plan.method) or config.describe(plan.method)
    if described.train.keys() >= _WHOLE:
        with suppress(ValidationError):  # That of a method which this version lacks may be wrong.
            return Train.model_validate(merge({"optimizer": {}}, described.train))
    # A contribution's name is compared with known ones: no path is built from it.
    known = load_experiments(config.name) if config.name in experiment_names() else []
    rows = (row for table in known for row in table.plans if row.key == plan.key)
    return next((row.recipe for row in rows if row.method == plan.method), None)


def _started(digests: Sequence[str]) -> dict[str, str]:
    """The setting that names weights from elsewhere; empty without any."""
    return {_STARTED: ", ".join(digest[:_DIGITS] for digest in digests)} if digests else {}


def _short(key: str) -> str:
    """A key without its block, but for the name of an optimiser."""
    short = key.removeprefix("train.").removeprefix("optimizer.")
    return "optimizer" if short == "name" else short
