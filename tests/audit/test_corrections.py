"""Corrections of printed numbers, as they stand below the tables that hold these numbers."""

from dataclasses import replace

import pytest

from mer_keras.audit.corrections import corrections_of_table
from mer_keras.audit.finding import Correction, Finding, Kind
from mer_keras.audit.findings import audit
from mer_keras.audit.published import papers
from mer_keras.config.files import load_experiments


@pytest.fixture(scope="session")
def notes_of():
    """Name of an experiment -> the corrections below its table."""
    findings_of = {paper: audit(paper) for paper in papers()}

    def notes(name):
        (config,) = load_experiments(name)
        return corrections_of_table(config, findings_of)

    return notes


@pytest.mark.parametrize(
    ("experiment", "text"),
    [
        ("ststnet/megc2019", "UAR 0.8686; it is mean precision"),
        (
            "dense_mixed_attention/table5",
            "Khor, Huang: Table III prints UAR 0.7013",
        ),
        (
            "dense_mixed_attention/table5",
            "LBP-TOP, smic: UF1 0.2000 with UAR 0.5280",
        ),
        ("leaderboard/flow_features", "UAR 0.7605; it is mean precision"),
        ("dense_mixed_attention/table7", "FDM: Acc 41.96, quoted; it is 107/255"),
        ("meranet/table1/casme2", "MERANet: 33,547,552 parameters; it is the network with 400"),
        ("meranet/table1/cas_me2", "LEARNet: accuracy 76.57, quoted; it is no share of 57"),
        ("shallow_convlstm/table2", "50 and 52.44 for samm, 5 classes, quoted; it is also"),
        ("shallow_attention/table1", "ELRCN: 134,000,000 parameters; it is the count of VGG-16"),
    ],
)
def test_a_table_shows_corrections_of_its_numbers(notes_of, experiment, text):
    assert [note for note in notes_of(experiment) if text in note]


def test_a_correction_about_other_clips_stays_with_its_table(notes_of):
    """STCLQP's 58.39 stands in two papers' tables, of 246 and of 123 clips."""
    assert any("no share of 123 clips" in note for note in notes_of("meranet/table1/casme2"))
    assert not any("123 clips" in note for note in notes_of("dense_mixed_attention/table7"))


def test_what_a_number_explains_itself_is_not_said_twice(notes_of):
    assert not any("0.7605" in note for note in notes_of("ststnet/megc2019"))
    (config,) = load_experiments("ststnet/megc2019")
    assert any("0.7605" in n.why and "0.7186" in n.why for n in config.rows[0].published)


def test_a_correction_needs_method_and_number():
    (config,) = load_experiments("ststnet/megc2019")
    number = config.rows[0].published[0]

    def notes(**changes):
        correction = Correction("t", "p", "a", "e", method="ststnet", fractions=(number.fraction,))
        changed = replace(correction, **changes)
        finding = Finding("t", "about", "says", "", {}, Kind.METRIC, (changed,))
        return corrections_of_table(config, {"ststnet": [finding]})

    assert notes() == ["t prints p; it is a (e)"]
    assert notes(method="htnet") == notes(fractions=(0.5,)) == notes(experiment="x/y") == []
