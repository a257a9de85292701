"""A run folder received from anybody: verbs show it, and nothing that it says is more than text."""

import csv
import io
import re
import shutil
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

from mer_keras.cli.main import app
from tests.report.hostile import digest_of, make_hostile_run

#: Letters that nothing shown may have: controls, and turns of the direction of writing.
UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The run; tests copy it."""
    return make_hostile_run(tmp_path_factory.mktemp("made")).path


@pytest.fixture
def run(made, places):
    """The run among the results, and the names of two of its rows."""
    shutil.copytree(made, places / "results" / made.name)
    return made.name


def call(*arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.exception
    return done


def test_fault_67_69_no_verb_prints_commands_for_a_terminal_or_writes_anywhere(run, places):
    rows = f"{run}:baseline-majority", f"{run}:baseline-majority"
    before = digest_of(places)
    for arguments in (
        ("status",),
        ("status", run),
        ("compare", *rows),
        ("compare", *rows, "--json"),
    ):
        done = call(*arguments)
        assert not UNSHOWN.search(done.stdout + done.stderr), arguments
        assert run in done.stdout
    # A row's name has no second line, which would look like another run.
    assert len(call("status").stdout.strip().splitlines()) == 4
    after = digest_of(places)
    assert {name.split("/")[0] for name in set(after) - set(before)} <= {"cache"}
    assert all(after[name] == digest for name, digest in before.items())


class Page(HTMLParser):
    """The elements of a page and what they lead to."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.targets = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.targets |= {value for name, value in attrs if name in ("href", "src")}
        assert not any(name.startswith("on") for name, _ in attrs)


def test_fault_67_69_a_report_of_it_holds_texts_alone(run, places):
    before = digest_of(places)
    call("report", run, "--out", places / "report")
    changed = {name for name, digest in digest_of(places).items() if before.get(name) != digest}
    assert {name.split("/")[0] for name in changed} == {"report"}

    page = Page((places / "report/report.html").read_text())
    assert "script" not in page.tags
    assert all(target.startswith(("#", "data:")) for target in page.targets)
    for file in (places / "report").rglob("*"):
        if not file.is_file():
            continue
        text = file.read_bytes().decode()
        if file.suffix != ".csv" and file.suffix != ".json":
            assert not UNSHOWN.search(text), file.name
        if file.suffix == ".svg":
            ElementTree.fromstring(text)
        if file.suffix == ".md":
            assert "<script" not in text
            assert "](" not in text and "![" not in text
        if file.suffix == ".tex":
            assert "\\input" not in text and not re.search(r"(\\\\|rule)\s*[\[*]", text)
        if file.suffix == ".csv":
            cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
            assert not any(cell[:1] in "=@\t\x00\ufeff\uff1d" for cell in cells if cell)
