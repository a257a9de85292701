"""A case of the suite, and which of them are asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mer_keras.bench.measure import Measured
from mer_keras.errors import UserError, did_you_mean


@dataclass(frozen=True)
class Asked:
    """What a case is told in its process.

    Attributes:
        quick: show only that it runs, and about how fast.
        repeats: of what takes minutes, such as a whole leave-one-subject-out.
        folder: empty, its own, removed afterwards; ``MER_DATA``, ``MER_CACHE`` and ``MER_RESULTS``
            name folders in it.
    """

    quick: bool
    folder: Path
    repeats: int = 3


@dataclass(frozen=True)
class Case:
    """Something that is measured in a process of its own.

    Attributes:
        name: ``group`` or ``group/one``.
        says: what it measures, in a line.
        act: measures it.
        limit: seconds after which it is ended.
        backend: of Keras in its process.
        needs: modules without which it can't run.
        gpu: whether it needs one.
        quick: whether a quick pass over all cases includes it.
    """

    name: str
    says: str
    act: Callable[[Asked], list[Measured]]
    limit: float = 600
    backend: str = "tensorflow"
    needs: tuple[str, ...] = ()
    gpu: bool = False
    quick: bool = True


def choose(cases: Sequence[Case], wanted: Sequence[str], *, quick: bool) -> list[Case]:
    """Return the cases that are asked for, in their own order.

    Args:
        cases: all.
        wanted: names of cases or of groups; none: all.
        quick: of all, only those of a quick pass.

    Raises:
        UserError: a name that is no case's and no group's.
    """
    if not wanted:
        return [case for case in cases if case.quick or not quick]
    known = {part for case in cases for part in _names(case)}
    for name in wanted:
        if name not in known:
            raise UserError(
                f"no case {name!r}{did_you_mean(name, known)}: --list shows all of them"
            )
    return [case for case in cases if set(_names(case)) & set(wanted)]


def _names(case: Case) -> list[str]:
    """Its name and its groups': ``step/ststnet/jax``, ``step/ststnet``, ``step``."""
    parts = case.name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
