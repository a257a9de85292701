"""``python -m tests.fuzz [TARGET...] --minutes 10``: exits with 1 if something was found."""

import argparse
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from mer_keras.bench.memory import peak_memory
from mer_keras.errors import MerKerasError
from tests.fuzz.targets import TARGETS, bounds_of

#: More characters of a message than a terminal shows.
LONGEST_MESSAGE = 4000
#: A reader that waits takes no time of the processor: nothing is waited for so long.
LONGEST_WAIT = 60


def fuzz(name, seconds, seed, *, files=sys.maxsize, out=None):
    """Read damaged files for so long, or so many; return counts by outcome, and what to mend."""
    rng, outcomes, findings = random.Random(seed), Counter(), {}
    bounds = bounds_of(name)
    with tempfile.TemporaryDirectory() as folder:
        seeds, change, read = TARGETS[name](Path(folder))
        started, tries, before = time.monotonic(), 0, peak_memory()
        while time.monotonic() - started < seconds and tries < files:
            data = change(rng, rng.choice(seeds))
            tries += 1
            computed, waited = time.process_time(), time.monotonic()
            outcome = outcome_of(read, data)
            if time.process_time() - computed > bounds.seconds:
                outcome = f"more than {bounds.seconds} s of computing"
            elif time.monotonic() - waited > LONGEST_WAIT:
                outcome = f"more than {LONGEST_WAIT} s"
            peak = peak_memory()  # The system's own count includes that of the process before it.
            if peak > max(bounds.mebibytes, before):
                outcome, before = f"more than {bounds.mebibytes} MiB of memory", peak
            outcomes[outcome] += 1
            if outcome not in ("read", "refused") and outcome not in findings:
                findings[outcome] = data
                if out:
                    out.mkdir(parents=True, exist_ok=True)
                    (out / re.sub(r"\W+", "-", f"{name}-{outcome}")).write_bytes(data)
    return tries, outcomes, findings


def outcome_of(read, data):
    """Read one file; say what became of it."""
    try:
        read(data)
    except MerKerasError as error:
        is_long = len(str(error)) > LONGEST_MESSAGE
        return f"a message of more than {LONGEST_MESSAGE} characters" if is_long else "refused"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        own = [f for f in traceback.extract_tb(error.__traceback__) if "/mer_keras/" in f.filename]
        at = own[-1] if own else where
        return (
            f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno} "
            f"below {Path(at.filename).name}:{at.lineno}"
        )
    return "read"


def main():
    """Fuzz one target or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(TARGETS))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--files", type=int, default=sys.maxsize, help="at most so many each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="keep files that were found here")
    given = parser.parse_args()
    failed = False
    for name in given.targets:
        tries, outcomes, findings = fuzz(
            name, 60 * given.minutes, given.seed, files=given.files, out=given.out
        )
        if findings:
            print(f"{name}: to be mended: {list(findings)}", file=sys.stderr)
        print(
            f"{name}: {tries} files, {peak_memory()} MiB of memory at most: {dict(outcomes)}",
            flush=True,
        )
        failed |= bool(findings)
    sys.exit(failed)


if __name__ == "__main__":
    main()
