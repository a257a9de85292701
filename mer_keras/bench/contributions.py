"""Time and memory of the leaderboard's page, by the number of contributions that it shows."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from mer_keras.bench import flow_like
from mer_keras.bench.case import CaseOptions
from mer_keras.bench.isolation import call_in_process
from mer_keras.bench.measure import Measurement, Timing, time_sizes, timed
from mer_keras.bench.memory import peak_memory
from mer_keras.config.experiment import Experiment
from mer_keras.leaderboard import schema
from mer_keras.leaderboard.boards import (
    CLIP_COLUMNS,
    Board,
    anonymous,
    boards,
    clips_digest,
    division_digest,
)
from mer_keras.leaderboard.digests import content_digest
from mer_keras.leaderboard.page import write_page
from mer_keras.leaderboard.reading import read_contribution
from mer_keras.leaderboard.standings import tables_of
from mer_keras.leaderboard.writing import write_contribution

#: Contributions of the pages, each with one method.
CONTRIBUTIONS, QUICK_CONTRIBUTIONS = (10, 20, 40, 80), (3, 6)
_BOARD, _PROTOCOL = "megc2019", "leave-one-subject-out"
_SEEDS = (0, 1, 2)
#: Least and largest share of the clips whose class a method gets right.
_ACCURACIES = (0.4, 0.9)


def write_pages(options: CaseOptions) -> list[Measurement]:
    """Read and check contributions, compare all pairs of methods, and write the page."""
    sizes = QUICK_CONTRIBUTIONS if options.quick else CONTRIBUTIONS
    clips = _clips()
    for number in range(max(sizes)):
        files = _contribution(clips, number)
        write_contribution(files, options.folder / f"contribution-{number}")
    folder, repeats = options.folder, 1 if options.quick else 3

    def write(amount: int) -> Timing:
        return call_in_process(_timed, folder, amount, repeats)

    return time_sizes("leaderboard's page", "mer_keras", "contributions", sizes, write)


def _timed(folder: Path, amount: int, repeats: int) -> Timing:
    """Time the page of some contributions in this process."""
    known = {_BOARD: _drawn_board(_clips())}
    write = partial(_write_page, folder, amount, known)
    write()  # The first page imports modules and fonts, which isn't timed.
    return timed(write, repeats, budget=60), peak_memory()


def _write_page(folder: Path, amount: int, known: dict[str, Board]) -> None:
    folders = [folder / f"contribution-{number}" for number in range(amount)]
    write_page(tables_of([read_contribution(path, known) for path in folders]), folder / "page")


def _clips() -> pd.DataFrame:
    """The table of drawn clips, as many as the public set has, a fold a person."""
    flow = flow_like.draw()
    clips = pd.DataFrame(
        {
            "clip": [anonymous(f"clip {number}") for number in range(len(flow.labels))],
            "database": flow.databases,
            "person": [anonymous(subject) for subject in flow.subjects],
            "fold": [f"fold-{flow.people().index(subject)}" for subject in flow.subjects],
            "label": np.take(flow_like.CLASSES, flow.labels),
        }
    )
    return clips[list(CLIP_COLUMNS)].sort_values("clip", ignore_index=True)


def _drawn_board(clips: pd.DataFrame) -> Board:
    """The board of the public set, bound to the drawn clips in place of its own."""
    digests = {"clips_digest": clips_digest(clips)}
    divisions = {_PROTOCOL: division_digest(clips)}
    return boards()[_BOARD].model_copy(update={**digests, "divisions": divisions})


def _config(name: str, method: str) -> Experiment:
    """An experiment of one row, whose method is a support vector machine."""
    return Experiment.model_validate(
        {
            "name": "leaderboard/drawn",
            "data": {"database": boards()[_BOARD].databases[0], "labels": "megc3"},
            "inputs": {"clips": {"kind": "flow_image", "size": 28}},
            "protocol": {"name": "loso"},
            "selection": "last_epoch",
            "seeds": _SEEDS,
            "train": {"optimizer": {"learning_rate": 0.1}, "epochs": 1, "batch_size": 1},
            "rows": [{"name": name, "method": method}],
            "methods": {method: {"title": name, "classical": {"classifier": "linear_svm"}}},
        }
    )


def _contribution(clips: pd.DataFrame, number: int) -> dict[str, str]:
    """Files of the contribution of one method, which gets some of the clips right."""
    random = np.random.default_rng(number)
    classes = flow_like.CLASSES
    labels = clips["label"].map(classes.index).to_numpy()
    accuracy = random.uniform(*_ACCURACIES)
    predicted = {
        f"{seed}:{schema.AS_RUN}": np.where(
            random.random(len(labels)) < accuracy, labels, random.integers(0, 3, len(labels))
        )
        for seed in _SEEDS
    }
    key = f"method-{number}"
    files = {
        schema.CLIPS: clips.to_csv(index=False, lineterminator="\n"),
        f"{schema.PREDICTIONS}/{key}.csv": pd.DataFrame(
            {"clip": clips["clip"], **predicted}
        ).to_csv(index=False, lineterminator="\n"),
    }
    name, method = f"Method {number}", f"method_{number}"
    row = {"key": key, "name": name, "role": "row", "method": method}
    no_digest = "0" * 32
    config = _config(name, method)
    head = schema.Contribution.model_validate(
        {
            "schema_version": schema.SCHEMA_VERSION,
            "package": "0",
            "board": _BOARD,
            "experiment": config.name,
            "profile": "full",
            "run_id": f"drawn-{number}",
            "protocol": _PROTOCOL,
            "selection": "last_epoch",
            "classes": classes,
            "seeds": _SEEDS,
            "config": config.model_dump(mode="json"),
            **dict.fromkeys(("config_digest", "samples_digest", "folds_digest"), no_digest),
            "images_digest": no_digest,
            "clips_digest": clips_digest(clips),
            "division_digest": division_digest(clips),
            "created": "2026-01-01T00:00:00+00:00",
            "backend": "none",
            "versions": {},
            "rows": ({**row, "rules": (schema.AS_RUN,)},),
            "files": {name: content_digest(text) for name, text in files.items()},
        }
    )
    return {**files, schema.HEAD: head.model_dump_json(indent=1) + "\n"}
