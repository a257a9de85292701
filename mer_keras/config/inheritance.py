"""What a config keeps of the one that it was derived from: nothing that isn't true of it.

A config is derived by ``base``, by a profile or by ``--set``. If its databases, labels or clip
recipes are other ones afterwards, it is no longer the table that a paper printed. Then these go,
unless the derived file states them anew:

- ``table``, ``caption``, ``also_reproduces`` and the published numbers of rows;
- ``paper``, unless the file states a ``table`` of its own and belongs to the same paper (that is,
  both names begin with the paper's folder); and with it ``not_reproduced``.

``not_inherited`` then says what went, and why.
"""

from collections.abc import Collection, Mapping

from pydantic import ValidationError

from mer_keras.config.data import Data
from mer_keras.config.inputs import Clip
from mer_keras.config.leaves import leaves
from mer_keras.config.yaml_text import Tree, Yaml

#: Fields that speak of a paper's own data and clips.
OF_PAPER = ("paper", "table", "caption", "also_reproduces", "not_reproduced")
#: Most changes that are named as the reason.
MOST_NAMED = 4


def data_changes(before: Tree, after: Tree) -> tuple[str, ...]:
    """Say in which databases, labels and clip recipes two configs differ.

    Inputs that only one of the two has are left out: a row that reads an input of another name is a
    change of the row.

    Args:
        before: values of a config by name, checked or not.
        after: those of the config that was derived from it.

    Returns:
        Texts such as ``data.database is smic, not samm``; empty if nothing differs.
    """
    old, new = _data_of(before), _data_of(after)
    shared = set(_inputs_of(before)) & set(_inputs_of(after))
    for name in sorted(shared):
        for values, tree in ((old, before), (new, after)):
            values |= dict(leaves(_canonical_clip(_inputs_of(tree)[name]), f"inputs.{name}"))
    return tuple(
        f"{key} is {_shown(new.get(key))}" + (f", not {_shown(old[key])}" if key in old else "")
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    )


def drop_untrue(
    tree: Tree,
    before: Tree,
    stated: Collection[str],
    source: str,
    *,
    same_paper: bool = True,
) -> None:
    """Take out of a config what was inherited and isn't true of its data and clips.

    Args:
        tree: the derived config, which is changed.
        before: the config that it was derived from.
        stated: names of the fields that the derived config states itself; ``rows`` if it states
            published numbers.
        source: what the config was derived by, such as ``base table1``.
        same_paper: whether both belong to one paper.
    """
    changes = data_changes(before, tree)
    if not changes:
        return
    kept = set(stated)
    if "table" in kept and same_paper:
        kept.add("paper")
    if "paper" in kept:
        kept.add("not_reproduced")
    dropped = [key for key in OF_PAPER if key not in kept and tree.get(key)]
    for key in dropped:
        del tree[key]
    if "rows" not in kept and _drop_published(tree):
        dropped.append("published numbers")
    if dropped:
        reasons = ", ".join(changes[:MOST_NAMED])
        more = len(changes) - MOST_NAMED
        reasons += f" and {more} more" if more > 0 else ""
        line = f"{source}: not taken over are {', '.join(dropped)}, since {reasons}"
        tree["not_inherited"] = [*(tree.get("not_inherited") or ()), line]


def drop_rows_without_anything(tree: Tree) -> None:
    """Take out rows that neither run nor have a published number, if something else is left."""
    methods = tree.get("methods") or {}
    rows = [
        row
        for row in tree.get("rows") or ()
        if row.get("published") or _runs(row, methods.get(row.get("method")) or {})
    ]
    if rows:
        tree["rows"] = rows


def _runs(row: Tree, method: Mapping[str, Yaml]) -> bool:
    return bool(row.get("method")) and row.get("runs", True) is True and not method.get("missing")


def _drop_published(tree: Tree) -> bool:
    """Take published numbers out of all rows, and say whether there were any."""
    rows = tree.get("rows")
    if not isinstance(rows, list) or not any(
        isinstance(row, dict) and row.get("published") for row in rows
    ):
        return False
    tree["rows"] = [
        {key: value for key, value in row.items() if key != "published"}
        if isinstance(row, dict)
        else row
        for row in rows
    ]
    return True


def _data_of(tree: Tree) -> dict[str, Yaml]:
    """Databases and labels as they are checked; as they were written where they can't be."""
    data = tree.get("data")
    if not isinstance(data, dict):
        return {}
    written = {key: data[key] for key in ("database", "labels") if key in data}
    try:
        checked = Data.model_validate(written)
        written = {"database": list(checked.databases), "labels": checked.labels}
    except ValidationError:
        pass
    return {f"data.{key}": value for key, value in written.items()}


def _inputs_of(tree: Tree) -> dict[str, Yaml]:
    inputs = tree.get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def _canonical_clip(recipe: Yaml) -> Yaml:
    """A clip recipe with all defaults; as it was written where it is none."""
    try:
        return Clip.model_validate(recipe).model_dump(mode="json")
    except ValidationError:
        return recipe


def _shown(value: Yaml) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return str(value)[:80]
