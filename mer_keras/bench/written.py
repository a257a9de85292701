"""``bench.json`` and ``bench.md``: written after each case, and read again to go on with them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mer_keras import settings
from mer_keras.bench.measure import Measured, from_json, ratios
from mer_keras.bench.tables import as_markdown
from mer_keras.errors import ResultsError, UserError
from mer_keras.runs.json_files import read_json

#: what must be equal for numbers to stand in one table
_SAME = ("versions", "device", "quick")


@dataclass
class Pass:
    """What was found so far.

    Attributes:
        described: machine, versions, state of the code.
        order: of the cases; the first way of a work is what others are compared to.
        rows: by case.
        absent: why a case was not measured.
        commits: state of the code, by case: a pass may go on with an earlier one.
    """

    described: dict[str, Any]
    order: list[str]
    rows: dict[str, list[Measured]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, rows: list[Measured], why_not: str = "") -> None:
        """Take what came of a case, in place of what came of it earlier."""
        self.rows.pop(name, None)
        self.absent.pop(name, None)
        if why_not:
            self.absent[name] = why_not
        else:
            whole = {**self.rows, name: rows}
            order = dict.fromkeys([*self.order, *whole])
            self.rows = {case: whole[case] for case in order if case in whole}
        self.commits[name] = str(self.described["git"])

    def table(self) -> list[Measured]:
        """All rows."""
        return [row for of_case in self.rows.values() for row in of_case]

    def write(self) -> list[Path]:
        """Write both files into the results folder."""
        rows = self.table()
        names = [name for name, of_case in self.rows.items() for _ in of_case]
        tree = {
            **self.described,
            "measured": [
                {"case": name, **row.to_json(ratio)}
                for name, row, ratio in zip(names, rows, ratios(rows), strict=True)
            ],
            "not_measured": self.absent,
            "commits": self.commits,
        }
        shown = {**self.described, "git": ", ".join(sorted(set(self.commits.values())))}
        texts = {
            "bench.json": json.dumps(tree, indent=1) + "\n",
            "bench.md": as_markdown(rows, self.absent, shown),
        }
        root = settings.results_root()
        root.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (root / name).write_text(text, encoding="utf-8")
        return [root / name for name in texts]


def go_on(described: dict[str, Any], order: list[str]) -> Pass:
    """Return the stored pass, to be added to; an empty one if none is stored.

    Args:
        described: the present machine.
        order: of the cases.

    Raises:
        UserError: it was made with something that differs.
    """
    path = settings.results_root() / "bench.json"
    if not path.exists():
        return Pass(described, order)
    stored = read_json(path)
    for name in _SAME:
        if stored.get(name) != described[name]:
            raise UserError(f"{path}: measured with other {name}: move it away, or leave out --add")
    try:
        return _from_json(stored, described, order)
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path}: not what this version writes: move it away") from error


def _from_json(stored: Mapping[str, Any], described: dict[str, Any], order: list[str]) -> Pass:
    found = Pass(described, order, commits=dict(stored["commits"]))
    for tree in stored["measured"]:
        found.rows.setdefault(tree["case"], []).append(from_json(tree))
    found.absent |= {str(name): str(why) for name, why in stored["not_measured"].items()}
    return found
