"""The display rules, on made-up predictions."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from mer_keras.config.experiment import Published
from mer_keras.config.files import load_experiments
from mer_keras.evaluation import metrics
from mer_keras.report.document import write_report
from mer_keras.report.drawn_motion import check_sentences
from mer_keras.report.scoring import score_row, verdict
from mer_keras.report.tables import ABSENT, CHOSEN_BY, OTHERWISE, tables_of
from mer_keras.terms import DAGGER, DOUBLE_DAGGER, WATERMARK
from tests.report.stored import CLASSES, CONFIG, SECRET, cell, make_run


def table_of(views, synthetic=False):
    return next(t for t in tables_of(CONFIG, views) if t.synthetic == synthetic)


def test_without_real_data_the_column_says_so():
    table = table_of([])
    assert cell(table, "Proposed ConvLSTM", "real") == ABSENT
    assert cell(table, "Shallow CNN (quoted)", "real") == "-"
    assert "78.33 (= UAR)" in cell(table, "Proposed ConvLSTM", "published")
    assert "which average: unknown" in cell(table, "Shallow CNN", "published")
    assert table.data_kind == "published"


def test_what_chose_the_epoch_stands_beside_quoted_numbers():
    def chosen(name):
        (config,) = load_experiments(name)
        (table,) = tables_of(config, [])
        position = table.header.index(CHOSEN_BY)
        return {row[0].removesuffix(" (quoted)"): row[position] for row in table.rows}

    composite, small = chosen("dense_mixed_attention/table5"), chosen("meranet/table1/cas_me2")
    assert composite["CapsuleNet"] == composite["EMR"] == "the tested clips"
    assert composite["STSTNet"] == composite["RCN"] == "nothing, it is the last"
    assert composite["LBP-TOP"] == "there are no epochs"
    assert composite["OFF-ApexNet"] == "-", "it isn't known"
    # Its paper prints the mean of its last epochs too; what is quoted is the best epoch.
    assert small["MicroExpSTCNN"] == "the tested clips"
    (table,) = tables_of(CONFIG, [])
    assert CHOSEN_BY in table.header


def test_numbers_are_pooled_over_all_samples(tmp_path):
    view = make_run(tmp_path)
    part = view.of_row("proposed-convlstm")
    pooled = metrics.scores(list(part["label"]), list(part["predicted"]), CLASSES)
    shown = cell(table_of([view]), "Proposed ConvLSTM", "UF1")
    assert shown.startswith(f"{100 * pooled.uf1:.2f} [")
    folds = [
        metrics.scores(list(f["label"]), list(f["predicted"]), CLASSES).uf1
        for _, f in part.groupby("fold")
    ]
    assert abs(np.mean(folds) - pooled.uf1) > 1e-3, "the case must tell the two apart"


def test_synthetic_numbers_stand_apart_and_beside_no_published_one(tmp_path):
    views = [make_run(tmp_path, kind="synthetic", profile="quick")]
    tables = tables_of(CONFIG, views)
    assert [t.synthetic for t in tables] == [False, True]
    text = " ".join(" ".join(row) for row in tables[1].rows) + " ".join(tables[1].header)
    assert "78.33" not in text
    assert "published" not in text
    assert ABSENT in cell(tables[0], "Proposed ConvLSTM", "real")


def test_synthetic_section_of_the_page_holds_no_published_number(tmp_path):
    view = make_run(tmp_path / "runs", kind="synthetic", profile="quick")
    write_report([(CONFIG, [view])], tmp_path)
    page = (tmp_path / "report.html").read_text()
    section = page.split('class="synthetic"')[1].split("</section>")[0]
    assert WATERMARK in section
    for row in CONFIG.rows:
        for number in row.published:
            assert f"{number.value:g}" not in re.sub(r"<svg.*?</svg>", "", section, flags=re.S)
    assert WATERMARK in (tmp_path / "report.md").read_text()
    of_run = (tmp_path / "figures").glob("run-*.svg")
    for svg in [file.read_text() for file in of_run]:
        assert WATERMARK in svg
        assert "synthetic data" in svg


@pytest.mark.parametrize("selection", ["test_fold", "external"])
def test_selection_on_the_test_bears_a_dagger(tmp_path, selection):
    table = table_of([make_run(tmp_path, selection=selection)])
    assert DAGGER in table.caption
    assert any(row[0] == f"Proposed ConvLSTM {DAGGER}" for row in table.rows)


def test_honest_selection_bears_none(tmp_path):
    table = table_of([make_run(tmp_path, selection="inner_subjects")])
    assert DAGGER not in table.caption + "".join(row[0] for row in table.rows)


def test_no_headline_number_while_a_fold_is_missing(tmp_path):
    view = make_run(tmp_path, skip={("proposed-convlstm", "fold-3")})
    table = table_of([view])
    assert cell(table, "Proposed ConvLSTM", "UF1") == "INCOMPLETE 3/4"
    assert "not run" in cell(table, "Proposed ConvLSTM", "verdict")
    assert "[" in cell(table, "majority class", "UF1")
    assert score_row(view, view.rows[0]) is None


def test_verdict_by_the_fixed_rule(tmp_path):
    view = make_run(tmp_path)
    row = view.rows[0]
    scores = score_row(view, row)
    value = scores.values["uar"]
    number = CONFIG.rows[0].published[0]

    def judged(fraction, **changes):
        changed = number.model_copy(update={"value": 100 * fraction, **changes})
        return verdict(changed, view, scores)

    assert judged(value.pooled) == "consistent"
    assert judged(value.low) == judged(value.high) == "consistent"
    assert judged(value.high + 0.01) == "lower"
    assert judged(value.low - 0.01) == "higher"
    assert judged(value.pooled, metric="unknown") == "not comparable"
    assert verdict(number, view, None) == "not run"


@pytest.mark.parametrize("changes", [{"profile": "quick"}, {"kind": "synthetic"}])
def test_only_full_real_runs_are_judged(tmp_path, changes):
    view = make_run(tmp_path, **changes)
    scores = score_row(view, view.rows[0])
    assert verdict(CONFIG.rows[0].published[0], view, scores) == "not comparable"


def test_caption_says_what_was_run(tmp_path):
    caption = table_of([make_run(tmp_path, profile="quick")]).caption
    for part in (
        "licensed data",
        "24 clips of 16 subjects",
        "4-fold",
        "last epoch",
        "not the paper",
    ):
        assert part in caption


def test_several_seeds_are_averaged_and_their_spread_is_said(tmp_path):
    view = make_run(tmp_path, seeds=[0, 1, 2])
    assert "SD over seeds" in cell(table_of([view]), "Proposed ConvLSTM", "UF1")
    assert score_row(view, view.rows[0]).seeds == 3


def test_the_newest_run_of_a_kind_is_shown(tmp_path):
    old = make_run(tmp_path, folder="old", created="2026-01-01T00:00:00+00:00")
    new = make_run(tmp_path, folder="new", created="2026-02-01T00:00:00+00:00")
    assert table_of([new, old]).view.path.name == "new"


def test_still_faces_have_a_table_of_their_own(tmp_path):
    moving = make_run(tmp_path, kind="synthetic", folder="moving")
    still = make_run(tmp_path, kind="synthetic", folder="still", signal=False)
    shown = [t for t in tables_of(CONFIG, [still, moving]) if t.synthetic]
    assert [t.view.path.name for t in shown] == ["moving", "still"]
    assert "must be at chance" in shown[1].caption


class Balance(HTMLParser):
    VOID = frozenset({"meta", "path", "use", "rect", "link", "br", "image"})

    def __init__(self):
        super().__init__()
        self.open, self.loads, self.scripts = [], [], 0

    def handle_starttag(self, tag, attrs):
        self.loads += [v for k, v in attrs if k in ("src", "href", "xlink:href") and v]
        self.scripts += tag == "script"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.loads += [v for k, v in attrs if k in ("src", "href", "xlink:href") and v]

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_page_is_whole_offline_and_escaped(tmp_path):
    row = CONFIG.rows[0].model_copy(update={"name": "<script>alert(1)</script>"})
    config = CONFIG.model_copy(update={"rows": (row, *CONFIG.rows[1:])})
    view = make_run(tmp_path / "runs", warnings=["<img src=x onerror=alert(1)>"])
    write_report([(config, [view])], tmp_path)
    parser = Balance()
    parser.feed((tmp_path / "report.html").read_text())
    assert parser.open == []
    assert parser.scripts == 0
    assert all(load.startswith("#") for load in parser.loads), parser.loads
    assert "<script>" not in (tmp_path / "report.md").read_text()


def test_no_subject_no_clip_and_no_path_in_any_file(tmp_path):
    view = make_run(tmp_path / "runs")
    files = write_report([(CONFIG, [view])], tmp_path / "out")
    assert {f.suffix for f in files} == {".html", ".md", ".json", ".csv", ".tex", ".svg"}
    for file in files:
        text = file.read_text()
        assert SECRET not in text, file
        assert str(tmp_path) not in text, file


def test_every_file_states_its_kind_of_data(tmp_path):
    views = [make_run(tmp_path / "runs"), make_run(tmp_path / "runs", kind="synthetic")]
    for file in write_report([(CONFIG, views)], tmp_path):
        if file.suffix == ".csv":
            assert file.read_text().startswith("data_kind,")
        if file.suffix == ".tex":
            assert "data" in file.read_text().split("caption{")[1].splitlines()[0]
        if file.suffix == ".json":
            for table in json.loads(file.read_text())["experiments"][0]["tables"]:
                assert table["data_kind"] in ("licensed", "synthetic", "published")


def test_cells_that_a_spreadsheet_would_run_are_escaped(tmp_path):
    row = CONFIG.rows[0].model_copy(update={"name": "=HYPERLINK(1)"})
    config = CONFIG.model_copy(update={"rows": (row,)})
    write_report([(config, [])], tmp_path)
    text = next((tmp_path / "tables").glob("*.csv")).read_text()
    assert "\npublished,'=HYPERLINK(1)," in text


def test_the_same_runs_give_the_same_files(tmp_path):
    view = make_run(tmp_path / "runs", kind="synthetic")
    for name in ("a", "b"):
        write_report([(CONFIG, [view])], tmp_path / name)
    for file in (tmp_path / "a").rglob("*.*"):
        other = tmp_path / "b" / file.relative_to(tmp_path / "a")
        assert file.read_text() == other.read_text(), file


class TestPooledRuns:
    def pooled(self, tmp_path):
        view = make_run(tmp_path)
        numbers = tuple(
            Published(name=f"UAR {d}", value=v, metric="uar", database=d)
            for d, v in ((None, 0), ("samm", 0), ("smic", 0))
        )
        row = CONFIG.rows[0].model_copy(update={"published": numbers})
        return view, CONFIG.model_copy(update={"rows": (row,)}), numbers

    def test_a_number_of_one_database_is_compared_with_its_clips_alone(self, tmp_path):
        view, config, numbers = self.pooled(tmp_path)
        state = view.rows[0]
        scores = score_row(view, state)
        part = view.of_row(state.key)
        for number in numbers:
            chosen = part if number.database is None else part[part["database"] == number.database]
            expected = metrics.scores(list(chosen["label"]), list(chosen["predicted"]), CLASSES)
            assert scores.of(number).pooled == pytest.approx(expected.uar)
        values = [scores.of(number).pooled for number in numbers]
        assert len(set(values)) == 3, "the case must tell them apart"
        text = cell(tables_of(config, [view])[0], "Proposed ConvLSTM", "verdict")
        assert text.count("higher") == 3

    def test_a_database_that_is_not_in_the_run_has_no_value(self, tmp_path):
        view, _, _ = self.pooled(tmp_path)
        absent = Published(name="x", value=1, metric="uar", database="casme2")
        scores = score_row(view, view.rows[0])
        assert scores.of(absent) is None
        assert verdict(absent, view, scores) == "not comparable"


def test_rows_whose_tested_subjects_were_trained_on_bear_a_mark(tmp_path):
    view = make_run(tmp_path)
    view.manifest["subject_exclusive"] = False
    table = table_of([view])
    assert any(row[0].startswith(f"Proposed ConvLSTM {DOUBLE_DAGGER}") for row in table.rows)
    assert f"{DOUBLE_DAGGER} tested subjects were trained on" in table.caption
    assert DOUBLE_DAGGER not in table_of([make_run(tmp_path / "other")]).caption


def test_what_a_run_was_pretrained_on_is_said(tmp_path):
    view = make_run(tmp_path)
    view.manifest["stages"] = [
        {
            "stage": "macro-expressions",
            "images": 1234,
            "validation_images": 100,
            "validation_split_by": "clip",
            "accuracy": 0.875,
        }
    ]
    caption = table_of([view]).caption
    assert "pretrained on 1,234 images (macro-expressions), 87.5 % of 100 held back by" in caption


class TestPipelineCheck:
    """Whether rows found the drawn motion stands in every file, and first on the page."""

    @staticmethod
    def drawn(tmp_path, **options):
        view = make_run(tmp_path, kind="synthetic", **{"profile": "quick", **options})
        (table,) = [t for t in tables_of(CONFIG, [view]) if t.synthetic]
        (sentence,) = check_sentences([(CONFIG, view)])
        return view, table, sentence

    def test_a_network_with_skill_has_found_it_and_the_majority_class_was_not_to(self, tmp_path):
        view, table, sentence = self.drawn(tmp_path / "runs", skill=1.0)
        low = score_row(view, view.rows[0]).values["uar"].low
        assert low > 1 / 3, "the case must be one of skill"
        assert cell(table, "Proposed ConvLSTM", "drawn motion") == "found"
        assert cell(table, "Proposed ConvLSTM", "expected") == "found"
        assert cell(table, "majority class", "drawn motion") == "not found"
        assert cell(table, "majority class", "expected") == "not found"
        assert "33.3 % for 3 classes" in table.notes[0]
        assert sentence == (
            "Pipeline check on drawn faces: 1 of 1 networks found the drawn motion."
        )
        write_report([(CONFIG, [view])], tmp_path)
        page = (tmp_path / "report.html").read_text()
        assert page.split("</h1>")[1].split("</p>")[0].endswith(sentence)
        markdown = (tmp_path / "report.md").read_text()
        assert markdown.splitlines()[2] == f"**{sentence}**"
        tree = json.loads((tmp_path / "report.json").read_text())
        assert tree["pipeline_check"] == [sentence]
        checks = tree["experiments"][0]["drawn_motion"]
        assert [(row["row"], row["drawn motion"], row["expected"]) for row in checks] == [
            ("Proposed ConvLSTM", "found", "found"),
            ("majority class", "not found", "not found"),
        ]
        csv = next((tmp_path / "tables").glob("*.synthetic.csv")).read_text()
        assert csv.startswith("data_kind,method,drawn motion,expected,")
        assert "\nsynthetic,Proposed ConvLSTM,found,found," in csv

    def test_a_network_at_chance_is_named_first(self, tmp_path):
        _, table, sentence = self.drawn(tmp_path, skill=0.0)
        assert cell(table, "Proposed ConvLSTM", "drawn motion") == "not found"
        assert "0 of 1 networks found the drawn motion; Proposed ConvLSTM did not" in sentence

    def test_without_motion_nothing_is_expected(self, tmp_path):
        _, table, sentence = self.drawn(tmp_path, skill=0.0, signal=False)
        assert cell(table, "Proposed ConvLSTM", "expected") == "not found"
        assert "motion was taken away: 0 of 1" in sentence

    def test_unfinished_rows_and_smoke_tests_promise_nothing(self, tmp_path):
        skip = {("proposed-convlstm", "fold-3")}
        _, table, sentence = self.drawn(tmp_path / "a", skip=skip)
        assert cell(table, "Proposed ConvLSTM", "drawn motion") == "not finished"
        assert "1 not finished" in sentence
        _, table, sentence = self.drawn(tmp_path / "b", profile="smoke")
        assert "expected" not in table.header or cell(table, "Proposed", "expected") == "-"
        assert "too small to find a motion" in sentence

    def test_several_runs_are_summed_up_and_their_rows_told_apart(self, tmp_path):
        view, _, _ = self.drawn(tmp_path / "a", skill=0.0)
        still, _, _ = self.drawn(tmp_path / "b", skill=0.0, signal=False)
        other = CONFIG.model_copy(update={"name": "shallow_convlstm/table2"})
        moving, taken_away = check_sentences([(CONFIG, view), (other, view), (CONFIG, still)])
        assert "0 of 2 networks found the drawn motion" in moving
        assert "Proposed ConvLSTM (shallow_convlstm/table2) did not" in moving
        assert "0 of 1 networks found one, as it must be" in taken_away

    def test_runs_of_real_faces_have_no_such_sentence(self, tmp_path):
        assert check_sentences([(CONFIG, make_run(tmp_path))]) == ()


class TestOtherData:
    """Published numbers stand beside runs of the paper's data and clips alone."""

    @pytest.fixture(scope="class")
    def other(self, tmp_path_factory):
        view = make_run(tmp_path_factory.mktemp("own"), kind="own")
        view.manifest["config"]["data"] |= {"database": "my_lab"}
        view.manifest["config"]["not_inherited"] = ["--set: not taken over are paper, since x"]
        return view

    def test_own_data_are_never_called_licensed(self, tmp_path, other):
        for file in write_report([(CONFIG, [other])], tmp_path):
            assert "licensed" not in file.read_text(), file
        for name in ("report.html", "report.md"):
            text = (tmp_path / name).read_text()
            assert "own data" in text
            assert text.count("not taken over") == 1, "what was dropped is said once"

    def test_published_numbers_stand_apart(self, other):
        published, real = tables_of(CONFIG, [other])
        assert "78.33 (= UAR)" in cell(published, "Proposed ConvLSTM", "published")
        assert cell(published, "Proposed ConvLSTM", "real") == OTHERWISE
        assert not {"published", "verdict"} & set(real.header)
        assert "78.33" not in str(real.records) + str(real.notes)
        names = [row[0] for row in real.rows]
        assert (names[0], names[-1]) == ("Proposed ConvLSTM", "majority class (baseline)")
        assert not any("(quoted)" in name for name in names)

    def test_why_is_said_of_runs_that_are_older_than_the_reason(self, tmp_path, other):
        view = make_run(tmp_path, kind="licensed")
        view.manifest["config"]["data"] |= {"labels": "samm5"}
        note, *_ = tables_of(CONFIG, [view])[1].notes
        assert note == ("published numbers don't stand here, since data.labels is samm5, not samm3")

    def test_runs_of_the_papers_data_keep_their_numbers(self, tmp_path, other):
        tables = tables_of(CONFIG, [other, make_run(tmp_path)])
        assert {t.title for t in tables} == {"Real, on other data or clips", "Published and real"}

    def test_an_experiment_of_no_paper_is_shown_by_its_name(self, tmp_path, other):
        config = CONFIG.model_copy(
            update={
                **{"name": "mine", "paper": None, "table": "", "caption": ""},
                **{"data": CONFIG.data.model_copy(update={"database": "my_lab"})},
                **{"not_inherited": ("base x: not taken over are paper, since y",)},
            }
        )
        write_report([(config, [])], tmp_path)
        page = (tmp_path / "report.html").read_text()
        assert ">mine</h2>" in page
        assert "<h3>Real</h3>" in page
        assert "Shukla" not in page
        assert page.count("not taken over are paper") == 1
