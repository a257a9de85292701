"""What of a config was changed from the one that is shipped."""

import json

from pydantic.main import IncEx

from mer_keras.config.experiment import Experiment
from mer_keras.config.inheritance import OF_PAPER
from mer_keras.config.leaves import leaves
from mer_keras.config.yaml_text import Tree

#: Fields that describe the paper, its numbers and its methods, and decide no result.
_DESCRIBES: dict[str, IncEx | bool] = {
    **dict.fromkeys((*OF_PAPER, "not_inherited"), True),
    "rows": {"__all__": {"runs", "published"}},
    "methods": {"__all__": {"title", "paper", "about", "missing", "claims", "facts"}},
}


def differences(shipped: Experiment, run: Experiment) -> tuple[str, ...]:
    """What of the second config decides results and is not as in the first: ``key=value`` texts.

    Published numbers and remarks are left out; so are rows and descriptions of methods that one of
    the two lacks, and what a new block leaves at its defaults. Of a block that is gone the block
    alone is said, such as ``train.augmentation=null``.
    """
    rows = {row.name for row in shipped.rows} & {row.name for row in run.rows}
    methods = shipped.methods.keys() & run.methods.keys()
    before = _deciding(shipped, rows, methods, exclude_defaults=True)
    now = _deciding(run, rows, methods, exclude_defaults=True)
    whole = _deciding(run, rows, methods, exclude_defaults=False)
    changed = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    said = dict.fromkeys(_key_or_block(key, whole) for key in changed)
    return tuple(f"{key}={json.dumps(whole.get(key)).strip(chr(34))}" for key in said)


def _key_or_block(key: str, whole: Tree) -> str:
    """A dotted key, or the key of the largest block around it that is gone or empty."""
    names = key.split(".")
    blocks = (".".join(names[:number]) for number in range(1, len(names)))
    return next((block for block in blocks if block in whole), key)


def _deciding(
    config: Experiment, rows: set[str], methods: set[str], *, exclude_defaults: bool
) -> Tree:
    """Dotted keys and values of what decides results, of some rows and methods only."""
    tree = config.model_dump(mode="json", exclude=_DESCRIBES, exclude_defaults=exclude_defaults)
    tree["rows"] = {row["name"]: row for row in tree["rows"] if row["name"] in rows}
    described = tree.get("methods", {})
    tree["methods"] = {name: described[name] for name in described if name in methods}
    return dict(leaves(tree))
