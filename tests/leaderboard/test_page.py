"""The page: offline, sortable, the same from the same contributions, every number a stored one."""

import base64
import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from unittest.mock import patch

import pytest

from mer_keras.leaderboard.lines import main_table
from mer_keras.leaderboard.page import Section, _section, page_files, write_page
from mer_keras.leaderboard.standings import tables_of
from mer_keras.report.formats import as_csv
from tests.leaderboard.made import BOARDS, SECRET
from tests.page_checks import complaints_of


@pytest.fixture(scope="module", autouse=True)
def known_boards():
    with patch("mer_keras.leaderboard.lines.boards", lambda: BOARDS):
        yield


@pytest.fixture(scope="module")
def tables(entry, inner):
    return tables_of([entry, inner], repetitions=20, resamples=100)


@pytest.fixture(scope="module")
def page(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    paths = write_page(tables, folder, studies=20)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def test_files(page):
    stem = "small.leave-one-subject-out"
    parts = ("scores", "guessing", "power", "claims", "methods", "differences")
    tables = [f"tables/{stem}.{part}.csv" for part in parts]
    figures = [f"figures/{stem}.{part}.svg" for part in ("claimed", "epochs-net")]
    heads = [f"leaderboard.{end}" for end in ("html", "md", "json")]
    assert set(page) == {*heads, *tables, *figures}


def test_what_an_earlier_page_had_more_is_gone(tables, tmp_path):
    stem = "small.leave-one-subject-out"
    earlier = ["tables/small.old-protocol.scores.csv", f"figures/{stem}.epochs-old.svg"]
    others = ["tables/mine.csv", "tables/small.my-notes.csv", "figures/small.png", "notes.txt"]
    for name in (*earlier, *others):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    with patch("mer_keras.leaderboard.page.boards", lambda: BOARDS):
        write_page(tables, tmp_path, studies=20)
    assert not any((tmp_path / name).exists() for name in earlier)
    assert all((tmp_path / name).exists() for name in others)


def test_long_names_that_begin_alike_have_a_figure_each(tables, tmp_path):
    (table,) = tables
    net = next(standing for standing in table.standings if standing.name == "Net")
    names = [f"{'a network' * 8} of width {width}" for width in (32, 64)]
    twins = tuple(replace(net, name=name) for name in names)
    write_page([replace(table, standings=(*twins, *table.standings))], tmp_path, studies=20)
    drawings = {file.read_text() for file in (tmp_path / "figures").glob("*.epochs-*.svg")}
    assert len(drawings) == 3


def test_numbers_are_those_of_the_table(page, tables):
    rows = {
        row["method"]: row
        for row in csv.DictReader(
            io.StringIO(page["tables/small.leave-one-subject-out.scores.csv"])
        )
    }
    for standing in tables[0].standings:
        row = next(row for name, row in rows.items() if name.startswith(standing.name))
        cell = row["UF1, last epoch or none"]
        if standing.honest:
            assert cell.startswith(f"{100 * standing.honest['uf1'].pooled:.1f} [")
        else:
            assert cell == "-"
    assert rows["Net"]["claimed UF1 / UAR"] == "90.00 / -"
    assert rows["Net"]["epochs"] == "5"
    assert rows["Net"]["parameters"] == "1,715"
    assert rows["Claimed"]["epoch in the published code chosen by"] == "the tested clips"


def test_every_claim_stands_with_its_source(page):
    text = page["tables/small.leave-one-subject-out.claims.csv"]
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["method"], first["claimed"]) == ("Net", "UF1 90.00")
    assert second["printed in"] == "Table 1, UF1 on the small set"
    assert second["epoch chosen by"] == "the tested clips"


def test_it_asks_for_nothing_and_runs_its_own_script_alone(page):
    text = page["leaderboard.html"]
    assert not re.search(r"(src|href)=\"(?!#|data:)", text)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert text.count("<button") == text.count('<th scope="col"')


def test_the_page_has_nothing_to_complain_of(page):
    assert complaints_of(page["leaderboard.html"]) == []


def test_the_top_names_the_best_honest_score(page, tables):
    best = next(standing for standing in tables[0].standings if standing.honest)
    top = page["leaderboard.html"].split("<main")[0]
    assert f"{best.name}, UF1 {100 * best.honest['uf1'].pooled:.1f} %" in top


def test_methods_without_claims_that_no_run_trained_to_the_last_epoch_have_no_figure(inner):
    rows = tuple(row for row in inner.head.rows if row.key == "svm")
    alone = replace(inner, head=inner.head.model_copy(update={"rows": rows}))
    table = tables_of([alone], repetitions=20, resamples=20)[0]
    section = _section(table, studies=20)
    assert section.figures == ()
    assert section.scores.rows[0][0] == "SVM"


def test_the_figure_is_told_in_words(page, tables):
    (label,) = re.findall(r'aria-label="(UF1 of each method: [^"]*)"', page["leaderboard.html"])
    for standing in tables[0].standings:
        claimed = standing.claimed("uf1")
        assert (f"claimed {100 * claimed:.1f} %" in label) if claimed else (standing.name in label)


def test_versions_and_digests_stand_on_it(page, entry):
    tree = json.loads(page["leaderboard.json"])
    assert tree["schema_version"] == 2
    facts = tree["tables"][0]["sources"]["last"]
    assert facts["division digest"] == entry.head.division_digest
    for name in ("leaderboard.html", "leaderboard.md"):
        assert entry.head.clips_digest in page[name]


def test_nobody_is_named(page):
    assert not any(SECRET in text for text in page.values())


def test_the_order_of_contributions_doesnt_count(entry, inner, page):
    (table,) = tables_of([inner, entry], repetitions=20, resamples=100)
    assert page["tables/small.leave-one-subject-out.scores.csv"] == as_csv(main_table(table))


def test_names_of_others_run_nothing(tables):
    evil = '=HYPERLINK("x")<script>alert(1)</script>'
    standings = (replace(tables[0].standings[0], name=evil), *tables[0].standings[1:])
    scores = main_table(replace(tables[0], standings=standings))
    files = page_files([Section("small", scores, (), (), {evil: {"run": evil}})])
    assert "<script>alert" not in files["leaderboard.html"]
    assert "<script>alert" not in files["leaderboard.md"]
    assert "'=HYPERLINK" in files["tables/small.leave-one-subject-out.scores.csv"]
