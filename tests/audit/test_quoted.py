"""Quoted numbers: sets of clips, impossible pairs, figures that stand twice, stated differences."""

from decimal import Decimal

import pytest

from mer_keras.audit.arithmetic import difference_findings
from mer_keras.audit.finding import Kind
from mer_keras.audit.findings import audit, findings_of
from mer_keras.audit.known_networks import known_networks, rounded_count_finding
from mer_keras.audit.published import Difference, PublishedPaper, RoundedCount, load, papers
from mer_keras.audit.shared import Entry, equal_pairs, printed_entries
from mer_keras.config.files import load_experiments


@pytest.fixture(scope="session")
def said():
    """Paper, kind and beginning of ``about`` -> everything that is said of it."""
    findings = {paper: audit(paper) for paper in papers()}

    def said_of(paper, kind, about=""):
        return " ".join(
            f"{finding.about}: {finding.says}"
            for finding in findings[paper]
            if finding.kind == kind and finding.about.startswith(about)
        )

    return said_of


@pytest.mark.parametrize(
    ("paper", "text"),
    [
        ("dense_mixed_attention", "FDM 41.96 is 107/255"),
        ("dense_mixed_attention", "TSCNN 80.97 is 200/247"),
        ("dense_mixed_attention", "ELRCN 52.44 is 129/246"),
        ("dense_mixed_attention", "SSSN 71.19 is 173/243"),
        ("dense_mixed_attention", "no share of 133, 136, 159 clips: HOG-TOP 36.06, TSCNN 71.76"),
        ("dense_mixed_attention", "clips: LBP-TOP + AdaBoost 44.34, GoogleNet 51.23, TSCNN 72.74"),
        ("shallow_convlstm", "Truncated AlexNet 57.35 is 78/136"),
        ("shallow_convlstm", "Shallow CNN 68.18 is 90/132"),
        ("shallow_convlstm", "clips: Weighted optical flow 58.30"),
        ("shallow_convlstm", "no share of 136, 159 clips: LBP-TOP 39.68"),
        ("meranet", "FMBH 73.67 is 263/357 (micro- and macro-expressions) or 221/300"),
        ("meranet", "MicroExpSTCNN 87.80 is 36/41"),
    ],
)
def test_of_which_clips_a_quoted_accuracy_is(said, paper, text):
    assert text in said(paper, Kind.SHARE)


def test_pairs_that_no_predictions_give(said):
    smic = said("dense_mixed_attention", Kind.POSSIBLE, "pairs of UF1 and UAR, smic")
    assert "LBP-TOP: UAR 0.5280 allows a UF1 of 0.3983 to 0.5553, not 0.2000" in smic
    # STSTNet's pair is not tried: what it prints as UAR is none.
    assert "of 10 quoted pairs" in smic


@pytest.mark.parametrize(
    ("paper", "about", "texts"),
    [
        ("shallow_convlstm", "figures of CNN+LSTM", ["50 and 52.44", "in other columns", "casme2"]),
        ("meranet", "figures of LEARNet", ["76.57 stands for casme2", "for cas_me2"]),
        ("meranet", "figures of MicroAttention", ["65.9", "3 classes here", "5 classes"]),
    ],
)
def test_figures_that_stand_for_other_data_too(said, paper, about, texts):
    sentence = said(paper, Kind.SHARED, about)
    assert sentence
    assert all(text in sentence for text in texts)


def test_a_figure_that_a_paper_quotes_rightly_is_not_told(said):
    """STSTNet's numbers are of the composite set here and there."""
    assert "STSTNet" not in said("dense_mixed_attention", Kind.SHARED)


def test_two_figures_are_equal_by_value_data_and_method():
    entry = next(entry for entry in printed_entries() if entry.quoted)
    other = Entry(**{**vars(entry), "classes": entry.classes + 1})
    assert equal_pairs([entry, other]) == [(entry, other)]
    assert equal_pairs([entry, entry]) == []
    assert equal_pairs([entry, Entry(**{**vars(other), "fraction": entry.fraction + 1e-4})]) == []


@pytest.mark.parametrize(
    ("paper", "text"),
    [
        ("dense_mixed_attention", "0.807 - 0.5836 = 0.2234, not 0.2634"),
        ("dense_mixed_attention", "80.97 - 58.39 = 22.58, not 27.96"),
        ("dense_mixed_attention", "= 37.20, not 49.88; 49.88 is Dense connections"),
        ("dense_mixed_attention", "= 0.4050, not 0.5286; 0.5286 is Dense connections"),
        ("dense_mixed_attention", "= 0.0522, not 0.522"),
        ("dense_mixed_attention", "= 0.0610, not 0.61"),
        ("dense_mixed_attention", "= 0.3276, not 0.3285"),
        ("dense_mixed_attention", "12 of the 19 follow"),
        ("shallow_convlstm", "= 17.64, not 67.64"),
        ("shallow_convlstm", "10.29: a WAR is subtracted from a UAR: 57.35 is 78 of 136"),
        ("meranet", "= 1.14, not 0.01"),
    ],
)
def test_differences_that_the_text_states(said, paper, text):
    assert text in said(paper, Kind.ARITHMETIC)


def test_a_difference_follows_where_it_rounds_so():
    right = Difference(where="w", about="a", printed="0.33", first=2.0, second=1.667)
    (finding,) = difference_findings("meranet", [right])
    assert "1 of the 1 follow" in finding.says
    wrong = right.model_copy(update={"printed": "0.34"})
    _, finding = difference_findings("meranet", [wrong])
    assert finding.corrections[0].actual == "0.333"


@pytest.mark.parametrize("paper", papers())
def test_the_terms_of_each_difference_stand_in_the_papers_tables(paper):
    """A transcription test: both numbers of a difference are printed in the named table."""
    printed = {(e.where, Decimal(str(e.value))) for e in printed_entries() if e.paper == paper}
    tables = {table for table, _ in printed}
    for difference in load(paper).differences:
        table = next((t for t in sorted(tables) if t and t in difference.where), None)
        for term in (difference.first, difference.second):
            value = Decimal(str(term))
            if difference.percent_of or value > 1000:
                continue  # Parameters are no scores; they are tested below.
            # The ablation without attention stands in Tables 10 and 11 alike.
            assert any(
                v == value and t in (table, "Table 11", "Table 1", "Table 2") for t, v in printed
            ), (difference.where, term)


def test_parameter_counts_of_a_difference_are_the_configs():
    (config, *_) = load_experiments("meranet/table1")
    counts = {n.value for row in config.rows for n in row.published if n.metric == "parameters"}
    difference = load("meranet").differences[0]
    assert {difference.first, difference.second} == counts


class TestKnownNetworks:
    def test_counts_of_well_known_networks(self):
        """As published: 138 M for VGG-16, 61 M for AlexNet, with ImageNet's classes."""
        counts = {network.title: network.parameters(1000) for network in known_networks()}
        assert counts == {
            "VGG-16": 138_357_544,
            "AlexNet in two groups": 60_965_224,
            "AlexNet without groups": 62_378_344,
        }

    def test_whose_parameters_elrcn_and_tlcnn_are_quoted_with(self, said):
        text = said("shallow_attention", Kind.PARAMETERS)
        assert "ELRCN: 134,000,000 parameters: it is the count of VGG-16 with 5 classes" in text
        assert "(134,281,029)" in text
        assert "AlexNet without groups with 1,000 classes (62,378,344)" in text
        assert "DTSCNN: 63,000,000 parameters: no count of VGG-16" in text

    def test_a_count_of_no_network(self):
        count = RoundedCount(where="w", title="x", published=1000, unit=1000, classes=5)
        assert rounded_count_finding(count).corrections == ()


def test_digits_of_p_values_end_differently(said):
    assert "Digits of UAR are cut off, of UF1 are rounded" in said(
        "dense_mixed_attention", Kind.TEST
    )


def test_a_paper_without_printed_numbers_has_no_findings():
    assert findings_of(PublishedPaper(title="t")) == []


#: Numbers of texts and tables that no row of an experiment holds, read from the papers again.
STATED = {
    "micro_attention": {
        ("Table 3", 0.95),
        ("Table 3", 1.5),
        ("Table 3", 1.1),
        ("section 4.2", 99.33),
        ("section 4.1", 10431),
        # CK+, Oulu-CASIA, JAFFE and MUG.
        ("section 4.1", 852),
        ("section 4.1", 1200),
        ("section 4.1", 151),
        ("section 4.1", 8228),
    },
    "dense_mixed_attention": {
        ("section 4.1.3", 87.15),
        ("Table 13", 6.26),
        ("Table 13", 3.115),
        ("section 4.5.2", 92),
        ("section 4.5.2", 74),
        ("section 4.5.2", 15),
        ("section 4.5.2", 99),
        ("section 4.5.2", 27),
        ("section 4.5.2", 67),
        ("section 4.5.2", 17),
        ("section 4.5.2", 100),
        ("section 4.5.1", 252),
        ("section 4.5.1", 109),
        ("section 4.5.1", 86),
    },
    "shallow_convlstm": {
        ("section 4.2", 90),
        ("section 4.2", 35),
        ("section 4.2", 42),
        ("section 4.2", 33),
    },
}


@pytest.mark.parametrize("paper", papers())
def test_numbers_of_texts_are_transcribed(paper):
    stated = {(number.where, number.value) for number in load(paper).stated}
    assert stated == STATED.get(paper, set())
