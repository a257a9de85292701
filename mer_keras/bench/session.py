"""``bench.json`` and ``bench.md``: written after each case, and read again to add other cases."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from mer_keras import settings
from mer_keras.bench.measure import Measurement, from_json, ratios
from mer_keras.bench.tables import as_markdown
from mer_keras.errors import ResultsError, UserError
from mer_keras.runs.json_files import read_json

#: Parts of the description that must be equal for measurements to stand in one table.
_MUST_AGREE = ("versions", "device", "quick")


@dataclass
class Session:
    """The measurements of some cases on one machine.

    Attributes:
        description: machine, versions, state of the code.
        order: names of all cases; other ways are compared to the first way of a work.
        measurements: by case.
        not_measured: reasons, by case.
        commits: state of the code, by case, since cases may be added later.
    """

    description: Mapping[str, JsonValue]
    order: list[str]
    measurements: dict[str, list[Measurement]] = field(default_factory=dict)
    not_measured: dict[str, str] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, measurements: list[Measurement], reason: str = "") -> None:
        """Add the measurements of a case, in place of earlier ones.

        Args:
            name: of the case.
            measurements: what came of it.
            reason: why the case could not be measured, if so.
        """
        self.measurements.pop(name, None)
        self.not_measured.pop(name, None)
        if reason:
            self.not_measured[name] = reason
        else:
            both = {**self.measurements, name: measurements}
            order = dict.fromkeys([*self.order, *both])
            self.measurements = {case: both[case] for case in order if case in both}
        self.commits[name] = str(self.description["git"])

    def table(self) -> list[Measurement]:
        """All measurements, in the order of the cases."""
        return [m for measurements in self.measurements.values() for m in measurements]

    def write(self) -> list[Path]:
        """Write both files into the results folder; return their paths."""
        table = self.table()
        names = [name for name, measurements in self.measurements.items() for _ in measurements]
        tree = {
            **self.description,
            "measured": [
                {"case": name, **measurement.to_json(ratio)}
                for name, measurement, ratio in zip(names, table, ratios(table), strict=True)
            ],
            "not_measured": self.not_measured,
            "commits": self.commits,
        }
        commits = ", ".join(sorted(set(self.commits.values())))
        texts = {
            "bench.json": json.dumps(tree, indent=1) + "\n",
            "bench.md": as_markdown(table, self.not_measured, {**self.description, "git": commits}),
        }
        root = settings.results_root()
        root.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (root / name).write_text(text, encoding="utf-8")
        return [root / name for name in texts]


def stored_session(description: Mapping[str, JsonValue], order: list[str]) -> Session:
    """Return the stored session, to add cases to it; an empty one if none is stored.

    Args:
        description: the present machine.
        order: names of all cases.

    Raises:
        UserError: it was measured with other versions, on another device or otherwise quick.
        ResultsError: the file is not one that this version writes.
    """
    path = settings.results_root() / "bench.json"
    if not path.exists():
        return Session(description, order)
    stored = read_json(path)
    for name in _MUST_AGREE:
        if stored.get(name) != description[name]:
            raise UserError(f"{path}: measured with other {name}: move it away, or leave out --add")
    try:
        session = Session(description, order, commits=dict(stored["commits"]))
        for tree in stored["measured"]:
            session.measurements.setdefault(tree["case"], []).append(from_json(tree))
        session.not_measured |= {str(k): str(v) for k, v in stored["not_measured"].items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ResultsError(f"{path}: not what this version writes: move it away") from error
    return session
