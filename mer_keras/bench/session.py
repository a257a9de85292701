"""``bench.json`` and ``bench.md``: written after each case, and read again to add other cases."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue, TypeAdapter, ValidationError

from mer_keras import settings
from mer_keras.bench.measure import Measurement, ratios
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
        self.measurements[name] = measurements
        self.not_measured.pop(name, None)
        if reason:
            self.not_measured[name] = reason
        self.commits[name] = str(self.description["git"])

    def rows(self) -> list[tuple[str, Measurement]]:
        """All measurements, each with its case's name, in the order of the cases."""
        names = dict.fromkeys([*self.order, *self.measurements])
        return [(name, m) for name in names for m in self.measurements.get(name, [])]

    def as_markdown(self) -> str:
        """The document ``bench.md``."""
        commits = ", ".join(sorted(set(self.commits.values())))
        measurements = [measurement for _, measurement in self.rows()]
        return as_markdown(measurements, self.not_measured, {**self.description, "git": commits})

    def write(self) -> None:
        """Write both files into the results folder."""
        rows = self.rows()
        ratio_of = ratios([measurement for _, measurement in rows])
        tree = {
            **self.description,
            "measured": [
                {"case": name, **measurement.to_json(ratio)}
                for (name, measurement), ratio in zip(rows, ratio_of, strict=True)
            ],
            "not_measured": self.not_measured,
            "commits": self.commits,
        }
        root = settings.results_root()
        root.mkdir(parents=True, exist_ok=True)
        (root / "bench.json").write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")
        (root / "bench.md").write_text(self.as_markdown(), encoding="utf-8")


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
    measurements: dict[str, list[Measurement]] = {}
    try:
        for tree in stored["measured"]:
            measurement = TypeAdapter(Measurement).validate_python(tree)
            measurements.setdefault(tree["case"], []).append(measurement)
        reasons, commits = (
            TypeAdapter(dict[str, str]).validate_python(stored[part])
            for part in ("not_measured", "commits")
        )
    except (KeyError, TypeError, ValidationError) as error:
        raise ResultsError(f"{path}: not what this version writes: move it away") from error
    return Session(description, order, measurements, reasons, commits)
