"""Measure cases, print a table, write ``bench.json`` and ``bench.md`` into the results folder."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mer_keras.bench import loso, machine, networks, preprocessing, reporting, scaling, waiting
from mer_keras.bench.apart import inside, measure_apart
from mer_keras.bench.case import Case, choose
from mer_keras.bench.tables import as_text, by_reason
from mer_keras.bench.written import Pass, go_on
from mer_keras.errors import MerKerasError

BACKENDS = ("tensorflow", "jax", "torch")


def all_cases(backends: Sequence[str]) -> list[Case]:
    """Return every case; those that are of one backend are of the first."""
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
        help="a case or a group of them; may be given several times",
    )
    parser.add_argument("--list", action="store_true", help="list the cases and measure nothing")
    parser.add_argument(
        "--add", action="store_true", help="keep what bench.json has of other cases"
    )
    parser.add_argument("--quick", action="store_true", help="a small pass of about a minute")
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
    # what a case's own process is started with
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _backends(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    strangers = set(names) - set(BACKENDS)
    if strangers or not names:
        raise argparse.ArgumentTypeError(f"expected some of {','.join(BACKENDS)}, found {text!r}")
    return names


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; return 1 if a case failed, 2 if a name is wrong, else 0."""
    asked = parse(arguments)
    cases = all_cases(asked.backends)
    if asked.inside:
        case = next(case for case in cases if case.name == asked.inside)
        return inside(case, quick=asked.quick, folder=asked.folder, repeats=asked.repeats)
    if asked.list:
        width = max(len(case.name) for case in cases)
        for case in cases:
            print(f"{case.name:{width}}  {case.says}")
        return 0
    try:
        return _measure_all(choose(cases, asked.only, quick=asked.quick), asked)
    except MerKerasError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def _measure_all(cases: Sequence[Case], asked: argparse.Namespace) -> int:
    order = [case.name for case in all_cases(asked.backends)]
    load = machine.load()
    described = {
        **machine.describe_apart(asked.backends[0]),
        "data_kind": "synthetic",
        "quick": asked.quick,
    }
    described["machine"]["load"] = f"{load:.2f} a core at the start"
    found = go_on(described, order) if asked.add else Pass(described, order)
    if load > machine.BUSY:
        print(f"other work is running ({load:.2f} a core): seconds may be too long", flush=True)
    given = ["--backends", ",".join(asked.backends), "--repeats", str(asked.repeats)]
    given += ["--quick"] if asked.quick else []
    failed = False
    places = []
    for number, case in enumerate(cases, 1):
        print(f"[{number}/{len(cases)}] {case.name}: ", end="", flush=True)
        outcome = measure_apart(case, given, asked.limit)
        why_not = outcome.why_not
        found.add(case.name, list(outcome.rows), why_not)
        print(f"not measured: {why_not}" if why_not else f"{outcome.seconds:.0f} s", flush=True)
        failed = failed or outcome.failed
        # after each case, so that an interrupted pass leaves what it has
        places = found.write()
    if found.rows:
        print(f"\n{as_text(found.table())}")
    for why, names in by_reason(found.absent).items():
        print(f"not measured: {why}: {', '.join(names)}")
    print("\n" + "\n".join(str(place) for place in places))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
