"""The page that is stored: every score on it is computed again from the stored predictions."""

import json
from pathlib import Path

import numpy as np
import pytest

from mer_keras.config.training import EXACT, with_precision
from mer_keras.evaluation.many_methods import score
from mer_keras.leaderboard.collecting import contribution_folders
from mer_keras.leaderboard.guesses import PERSON_BEST
from mer_keras.leaderboard.reading import matrices_of, read_contribution
from mer_keras.leaderboard.settings import settings_of
from mer_keras.leaderboard.standings import SHOWN, values_of
from mer_keras.terms import Selection

STORED = Path(__file__).parents[2] / "results/published/leaderboard"
METRICS = [metric.upper() for metric in SHOWN]
#: Columns of a score, with the rule that it is computed by from a run of that selection.
COLUMNS = {
    "last epoch or none": (Selection.LAST_EPOCH, ("last_epoch", "as_run")),
    "chosen on training people": (Selection.INNER_SUBJECTS, ("as_run",)),
    "tested person's best epoch †": (Selection.LAST_EPOCH, (PERSON_BEST,)),
}


@pytest.fixture(scope="module")
def entries():
    return [read_contribution(folder) for folder in contribution_folders(STORED)]


@pytest.fixture(scope="module")
def tables():
    tree = json.loads((STORED / "page/leaderboard.json").read_text())
    return [table["scores"] for table in tree["tables"]]


def candidates(entries, table, line, column):
    """Stored predictions, of the runs that a line names, that a cell may be of.

    Each is of one run, or of all these runs of one recipe, whose seeds are taken together.
    """
    selection, rules = COLUMNS[column.partition(", ")[2]]
    runs = [entry for entry in entries if entry.source in line["stored in"].split("; ")]
    assert all(entry.head.protocol in table["title"] for entry in runs)
    rows = [(entry, row) for entry in runs for row in entry.head.rows if row.ran]
    trained = {trained_as(entry, row) for entry, row in rows if is_called(line, entry, row)}
    for settings in trained:
        matrices = []
        for entry, row in rows:
            rule = next((rule for rule in rules if rule in row.rules), None)
            if entry.head.selection == selection and trained_as(entry, row) == settings and rule:
                matrices.append(matrices_of(entry, row.key, rule))
        yield from matrices
        if matrices:
            yield np.concatenate(matrices)


def trained_as(entry, row):
    return settings_of(entry.config, entry.plans[row.key], entry.head.started_from)


def is_called(line, entry, row):
    precision = entry.plans[row.key].recipe.precision if row.epochs else EXACT
    titles = (row.name, f"{row.name}, {row.epochs} epochs")
    name = line["method"].removesuffix(" (baseline)")
    return name in [with_precision(title, precision) for title in titles]


def test_every_score_is_that_of_stored_predictions(entries, tables):
    scored = 0
    for table in tables:
        for cells in table["rows"]:
            line = dict(zip(table["header"], cells, strict=True))
            for column, cell in line.items():
                metric, _, rest = column.partition(", ")
                if metric in METRICS and rest in COLUMNS and cell != "-":
                    pooled = {
                        f"{100 * score(matrices, metric.lower()):.1f}"
                        for matrices in candidates(entries, table, line, column)
                    }
                    assert cell.split(" ")[0] in pooled, (line["method"], column)
                    scored += 1
    assert scored > 20


def test_an_interval_too(entries, tables):
    table = tables[0]
    line = dict(zip(table["header"], table["rows"][0], strict=True))
    cells = {
        f"{100 * value.pooled:.1f} [{100 * value.low:.1f}, {100 * value.high:.1f}]"
        for matrices in candidates(entries, table, line, "UF1, last epoch or none")
        for value in [values_of(matrices)["uf1"]]
    }
    assert line["UF1, last epoch or none"].partition(" ±")[0] in cells


def test_no_stored_file_is_large_or_a_picture():
    for file in STORED.rglob("*"):
        if file.is_file():
            assert file.suffix in (".json", ".csv", ".html", ".md", ".svg"), file
            assert file.stat().st_size < 2_000_000, file
            assert "<image" not in file.read_text(), file
