"""Measure cases, print a table, write ``bench.json`` and ``bench.md`` into the results folder."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mer_keras.bench import loso, machine, networks, preprocessing, reporting, scaling, waiting
from mer_keras.bench.case import Case, CaseOptions, choose
from mer_keras.bench.isolation import measure_here, measure_in_process
from mer_keras.bench.session import Session, stored_session
from mer_keras.bench.tables import as_text, by_reason
from mer_keras.errors import MerKerasError

BACKENDS = ("tensorflow", "jax", "torch")


def all_cases(backends: Sequence[str]) -> list[Case]:
    """Return every case; those of one backend only are of the first."""
    first = backends[0]
    return [
        *preprocessing.cases(),
        *reporting.cases(),
        *waiting.cases(first),
        *scaling.cases(first),
        *loso.cases(first),
        *networks.cases(backends),
    ]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m mer_keras.bench", description=(__doc__ or "").strip()
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="a case or a group of cases; may be given several times",
    )
    parser.add_argument("--list", action="store_true", help="list the cases and measure nothing")
    parser.add_argument(
        "--add", action="store_true", help="keep what bench.json has of other cases"
    )
    parser.add_argument("--quick", action="store_true", help="a small session of about a minute")
    parser.add_argument(
        "--backends",
        type=_backends,
        default=(os.environ.get("KERAS_BACKEND", BACKENDS[0]),),
        metavar="A,B",
        help="for the training steps; the first is that of all else (tensorflow,jax,torch)",
    )
    parser.add_argument(
        "--repeats", type=int, default=3, metavar="N", help="of each leave-one-subject-out"
    )
    parser.add_argument("--limit", type=float, metavar="S", help="end any case after S seconds")
    # The process of a case is started with these two.
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _backends(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names or set(names) - set(BACKENDS):
        raise argparse.ArgumentTypeError(f"expected some of {','.join(BACKENDS)}, found {text!r}")
    return names


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the chosen cases; return 1 if a case failed, 2 if a name is wrong, else 0."""
    options = parse(arguments)
    cases = all_cases(options.backends)
    if options.inside:
        case = next(case for case in cases if case.name == options.inside)
        return measure_here(case, CaseOptions(options.quick, options.folder, options.repeats))
    if options.list:
        width = max(len(case.name) for case in cases)
        for case in cases:
            print(f"{case.name:{width}}  {case.about}")
        return 0
    try:
        return _measure(choose(cases, options.only, quick=options.quick), options)
    except MerKerasError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def _measure(cases: Sequence[Case], options: argparse.Namespace) -> int:
    session = _begin(options)
    arguments = ["--backends", ",".join(options.backends), "--repeats", str(options.repeats)]
    arguments += ["--quick"] if options.quick else []
    failed = False
    paths: list[Path] = []
    for number, case in enumerate(cases, 1):
        print(f"[{number}/{len(cases)}] {case.name}: ", end="", flush=True)
        outcome = measure_in_process(case, arguments, options.limit)
        reason = outcome.reason
        session.add(case.name, list(outcome.measurements), reason)
        print(f"not measured: {reason}" if reason else f"{outcome.seconds:.0f} s", flush=True)
        failed = failed or outcome.failed
        # Files are written after each case, so that an interrupted session leaves what it has.
        paths = session.write()
    if session.measurements:
        print(f"\n{as_text(session.table())}")
    for reason, names in by_reason(session.not_measured).items():
        print(f"not measured: {reason}: {', '.join(names)}")
    print("\n" + "\n".join(map(str, paths)))
    return int(failed)


def _begin(options: argparse.Namespace) -> Session:
    """Describe the machine, and say if other work runs on it."""
    load = machine.load()
    description = machine.describe_in_process(options.backends[0])
    description |= {
        "machine": {**machine.machine(), "load": f"{load:.2f} a core at the start"},
        "data_kind": "synthetic",
        "quick": options.quick,
    }
    if load > machine.BUSY:
        print(f"other work is running ({load:.2f} a core): seconds may be too long", flush=True)
    order = [case.name for case in all_cases(options.backends)]
    return (stored_session if options.add else Session)(description, order)


if __name__ == "__main__":
    sys.exit(main())
