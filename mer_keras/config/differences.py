"""What of a config was changed from the one that is shipped."""

import json
from collections.abc import Iterator, Mapping

from pydantic.main import IncEx

from mer_keras.config.experiment import Experiment
from mer_keras.config.yaml_text import Tree, Yaml

#: Fields that describe the paper, its numbers and its methods, and decide no result.
_DESCRIBES: dict[str, IncEx | bool] = {
    **dict.fromkeys(("paper", "table", "caption", "also_reproduces", "not_reproduced"), True),
    "rows": {"__all__": {"runs", "published"}},
    "methods": {"__all__": {"title", "paper", "about", "missing", "claims", "facts"}},
}


def differences(shipped: Experiment, run: Experiment) -> tuple[str, ...]:
    """What of the second config decides results and is not as in the first: ``key=value`` texts.

    Published numbers and remarks are left out; so are rows and descriptions of methods that one of
    the two lacks, and what a new block leaves at its defaults.
    """
    rows = {row.name for row in shipped.rows} & {row.name for row in run.rows}
    methods = shipped.methods.keys() & run.methods.keys()
    before = _deciding(shipped, rows, methods, exclude_defaults=True)
    now = _deciding(run, rows, methods, exclude_defaults=True)
    whole = _deciding(run, rows, methods, exclude_defaults=False)
    return tuple(
        f"{key}={json.dumps(whole.get(key)).strip(chr(34))}"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key)
    )


def _deciding(
    config: Experiment, rows: set[str], methods: set[str], *, exclude_defaults: bool
) -> Tree:
    """Dotted keys and values of what decides results, of some rows and methods only."""
    tree = config.model_dump(mode="json", exclude=_DESCRIBES, exclude_defaults=exclude_defaults)
    tree["rows"] = {row["name"]: row for row in tree["rows"] if row["name"] in rows}
    described = tree.get("methods", {})
    tree["methods"] = {name: described[name] for name in described if name in methods}
    return dict(_leaves(tree))


def _leaves(tree: Yaml, key: str = "") -> Iterator[tuple[str, Yaml]]:
    """Dotted key and value of every leaf; an empty list or mapping is one."""
    entries = dict(enumerate(tree)) if isinstance(tree, list) else tree
    if not isinstance(entries, Mapping) or not entries:
        yield key, tree
        return
    for name, value in entries.items():
        yield from _leaves(value, f"{key}.{name}" if key else str(name))
