"""Is the time left that a run shows true? A run that notes what it shows, and compares.

    python -m mer_keras.bench.time_left shallow_convlstm/table1 meranet/table1/casme2

Results go into a temporary folder, so that all folds are trained. With ``--fresh`` the cache does
too, so that clips are drawn and nothing is known of this machine. ``--processor`` counts the
processor's time in place of the clock's, for a machine that others keep busy; set
``OMP_NUM_THREADS``, ``TF_NUM_INTRAOP_THREADS`` and ``TF_NUM_INTEROP_THREADS`` to 1 for it.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mer_keras.cli.running import Watch, announce, describe, say
from mer_keras.training.quiet_start import import_keras

#: Shares of a run's time at which what it shows is compared with the truth.
SHARES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True)
class Note:
    """What a run showed.

    Attributes:
        elapsed: seconds since it began.
        left: seconds that it was to take still.
        what: what it was doing.
    """

    elapsed: float
    left: float
    what: str


def ratio_at(notes: Sequence[Note], share: float, total: float) -> tuple[float, Note]:
    """Return shown / true time left when a share of a run's time had passed, and what was shown.

    Args:
        notes: in order of time.
        share: of ``total``, in 0..1.
        total: seconds of the run.
    """
    shown = [note for note in notes if note.elapsed <= share * total] or list(notes[:1])
    latest = shown[-1]
    # A bar counts down while nothing is reported.
    left = max(0.0, latest.left - (share * total - latest.elapsed))
    return left / ((1 - share) * total), latest


def main() -> None:
    """Run experiments and print what they showed beside the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiments", nargs="+")
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--processor", action="store_true")
    options = parser.parse_args()
    from mer_keras.config.files import load_experiments

    configs = [
        config
        for name in options.experiments
        for config in load_experiments(name, profile=options.profile)
    ]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MER_RESULTS"] = str(Path(folder) / "results")
        if options.fresh:
            os.environ["MER_CACHE"] = str(Path(folder) / "cache")
        asked = time.monotonic()
        forecasts = announce(configs, options.profile, "synthetic")
        say(f"announced after {time.monotonic() - asked:.1f} s")
        import_keras()
        from mer_keras.runs.run import run_experiments

        clock = time.process_time if options.processor else time.monotonic
        watch, notes, began = Watch(forecasts, clock), list[Note](), clock()
        watch.show = lambda moment: notes.append(
            Note(clock() - began, moment.left, describe(moment))
        )
        for config in configs:
            run_experiments([config], profile=options.profile, data="synthetic", watcher=watch)
            watch.finish(config)
        total = clock() - began
        announced = sum(entry.seconds for entry in forecasts)
        print(f"announced {announced:.0f} s, took {total:.0f} s: {announced / total:.2f}")
        for share in SHARES:
            ratio, note = ratio_at(notes, share, total)
            print(f"after {100 * share:3.0f} %: shown / true {ratio:5.2f}  ({note.what})")
        print("expected and measured seconds by kind")
        for kind, (expected, measured) in watch.timetable.timed().items():
            print(f"  {kind:60} {expected:8.1f} {measured:8.1f} {measured / expected:6.2f}")


if __name__ == "__main__":
    main()
