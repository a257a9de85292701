"""Measure cases, print a table, write ``bench.json`` and ``bench.md`` into the results folder."""

import argparse
import os
import sys
import time
from collections.abc import Sequence

from mer_keras import provenance, settings
from mer_keras.bench import beside, machine, networks
from mer_keras.bench.case import Case, choose, load_cases
from mer_keras.bench.isolation import call_in_process, measure_in_process
from mer_keras.bench.session import Session, stored_session
from mer_keras.errors import MerKerasError, UserError

BACKENDS = ("tensorflow", "jax", "torch")


def all_cases(backends: Sequence[str]) -> list[Case]:
    """Return every case; those of one backend only are of the first."""
    return [*load_cases(backends[0]), *beside.cases(), *networks.cases(backends)]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m mer_keras.bench", description=(__doc__ or "").strip()
    )
    add = parser.add_argument
    add("--only", action="append", default=[], metavar="NAME", help="a case or group; repeatable")
    add("--list", action="store_true", help="list the cases and measure nothing")
    add("--add", action="store_true", help="keep what bench.json has of other cases")
    add("--quick", action="store_true", help="a small session of about a minute")
    add(
        "--backends",
        type=_backends,
        default=(os.environ.get("KERAS_BACKEND", BACKENDS[0]),),
        metavar="A,B",
        help="for the training steps; the first is that of all else (tensorflow,jax,torch)",
    )
    add("--repeats", type=int, default=3, metavar="N", help="of each leave-one-subject-out")
    add("--limit", type=float, metavar="S", help="end any case after S seconds")
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
    failed = False
    for number, case in enumerate(cases, 1):
        print(f"[{number}/{len(cases)}] {case.name}: ", end="", flush=True)
        started = time.perf_counter()
        outcome = measure_in_process(
            case, quick=options.quick, repeats=options.repeats, limit=options.limit
        )
        session.add(case.name, list(outcome.measurements), outcome.reason)
        seconds = f"{time.perf_counter() - started:.0f} s"
        print(f"not measured: {outcome.reason}" if outcome.reason else seconds, flush=True)
        failed = failed or outcome.failed
        # Files are written after each case, so that an interrupted session leaves what it has.
        session.write()
    print(f"\n{session.as_markdown()}\n{settings.results_root()}")
    return int(failed)


def _begin(options: argparse.Namespace) -> Session:
    """Describe the machine, and say if other work runs on it."""
    load = machine.load()
    backend = options.backends[0]
    try:
        # This process doesn't import the backend.
        description = call_in_process(provenance.describe, environment={"KERAS_BACKEND": backend})
    except Exception as error:
        raise UserError(f"KERAS_BACKEND={backend} can't be used: {error}") from error
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
