"""A case of the suite, and the choice of cases by name."""

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from mer_keras.bench.measure import Measurement
from mer_keras.errors import UserError, did_you_mean


@dataclass(frozen=True)
class CaseOptions:
    """How a case is to be measured.

    Attributes:
        quick: show only that it runs, and about how fast.
        folder: empty, the case's own, removed afterwards; ``MER_DATA``, ``MER_CACHE`` and
            ``MER_RESULTS`` name folders in it.
        repeats: of what takes minutes, such as a whole leave-one-subject-out.
    """

    quick: bool
    folder: Path
    repeats: int = 3


@dataclass(frozen=True)
class Case:
    """Something that is measured in a process of its own.

    Attributes:
        name: ``group/case``, or ``case`` alone.
        about: what it measures, in a line.
        measure: measures it.
        limit: seconds after which it is stopped.
        backend: of Keras in its process.
        needs: modules without which it can't run, beside the backend.
        gpu: whether it needs a GPU.
        quick: whether a quick session of all cases includes it.
    """

    name: str
    about: str
    measure: Callable[[CaseOptions], list[Measurement]]
    limit: float = 600
    backend: str = "tensorflow"
    needs: tuple[str, ...] = ()
    gpu: bool = False
    quick: bool = True


def case_file() -> dict[str, Any]:
    """What ``cases.yaml`` says."""
    return yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8"))


def load_cases(backend: str) -> list[Case]:
    """Return the cases that ``cases.yaml`` describes, on a backend."""
    cases = []
    for name, entry in case_file()["cases"].items():
        function = pkgutil.resolve_name(f"mer_keras.bench.{entry.pop('measure')}")
        measure = partial(function, **entry.pop("arguments", {}))
        case = {"name": name, "measure": measure, "backend": backend, **entry}
        cases.append(TypeAdapter(Case).validate_python(case))
    return cases


def choose(cases: Sequence[Case], names: Sequence[str], *, quick: bool) -> list[Case]:
    """Return the cases of some names, in the order of ``cases``.

    Args:
        cases: all of them.
        names: of cases or of groups; empty: all cases.
        quick: without names, only the cases of a quick session.

    Raises:
        UserError: a name is no case's and no group's.
    """
    if not names:
        return [case for case in cases if case.quick or not quick]
    known = {name for case in cases for name in _names(case)}
    for name in names:
        if name not in known:
            raise UserError(
                f"no case {name!r}{did_you_mean(name, known)}: --list shows all of them"
            )
    return [case for case in cases if set(_names(case)) & set(names)]


def _names(case: Case) -> list[str]:
    """Names of a case and its groups: ``step``, ``step/ststnet``, ``step/ststnet/jax``."""
    parts = case.name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
