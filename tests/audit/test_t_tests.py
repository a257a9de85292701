"""Printed p-values: the form that gives them is found, and a wrong one is not."""

from functools import cache

import pytest
from scipy import stats

from mer_keras.audit.findings import audit as uncached_audit
from mer_keras.audit.published import PrintedTTests, load
from mer_keras.audit.t_tests import FORMS, TTestForm, fits, p_value, t_test_finding
from mer_keras.config.experiment import Published, Row
from mer_keras.errors import ConfigError

#: Findings of a paper, computed once.
audit = cache(uncached_audit)
DATABASES = (None, "casme2", "samm", "smic")


def row(name, values):
    numbers = tuple(
        Published(name="UAR", value=value, unit="fraction", metric="uar", database=database)
        for database, value in zip(DATABASES, values, strict=True)
    )
    return Row(name=name, published=numbers)


OWN = row("own", (0.9, 0.92, 0.84, 0.95))
OTHER = row("other", (0.6, 0.8, 0.5, 0.58))


def test_each_form_is_scipys():
    a, b = [0.9, 0.92, 0.84, 0.95], [0.6, 0.8, 0.5, 0.58]
    two = stats.ttest_rel(a, b).pvalue
    assert p_value(OWN, OTHER, "uar", TTestForm(True, 2, True)) == pytest.approx(two)
    # A one-sided test gives half of that, as the own method is better.
    assert p_value(OWN, OTHER, "uar", TTestForm(True, 1, True)) == pytest.approx(two / 2)
    unpaired = stats.ttest_ind(a[1:], b[1:]).pvalue
    assert p_value(OWN, OTHER, "uar", TTestForm(False, 2, False)) == pytest.approx(unpaired)


def test_numbers_are_joined_by_database_not_by_position():
    reversed_row = OTHER.model_copy(update={"published": OTHER.published[::-1]})
    form = TTestForm(True, 2, False)
    assert p_value(OWN, reversed_row, "uar", form) == p_value(OWN, OTHER, "uar", form)


@pytest.mark.parametrize(
    ("p", "printed", "expected"),
    [
        (0.00526, "0.0052", True),  # cut off
        (0.00526, "0.0053", True),  # rounded
        (0.00526, "0.0051", False),
        (0.0176, "0.017", True),
        (0.0176, "0.0170", False),
    ],
)
def test_printed_digits_count(p, printed, expected):
    assert fits(p, printed) is expected


class TestDenseConnections:
    """Section 4.5.1 prints 22 p-values without saying over what."""

    def test_all_are_of_one_form_and_no_other(self):
        (finding,) = [f for f in audit("dense_mixed_attention") if "p-values" in f.about]
        assert "22 of the 22" in finding.says
        assert "paired, one-sided" in finding.says
        best = finding.numbers.pop("paired, one-sided, with the whole")
        assert best == {"fit": 22, "below 0.05": 19}
        assert all(other["fit"] <= 2 for other in finding.numbers.values())

    def test_the_paper_says_so_itself_how_many_are_not_significant(self):
        """MERASTC for UAR and UF1, ICE-GAN for UF1: three of the 22."""
        (tests,) = load("dense_mixed_attention").t_tests
        printed = [float(text) for of in tests.p.values() for text in of.values()]
        assert len(printed) == 22
        assert sum(p >= 0.05 for p in printed) == 3

    def test_what_a_two_sided_test_over_the_databases_says(self):
        (tests,) = load("dense_mixed_attention").t_tests
        numbers = t_test_finding(tests).numbers["paired, two-sided, without the whole"]
        assert numbers["below 0.05"] == 3


def test_a_row_that_is_not_in_the_table_is_said():
    tests = PrintedTTests(
        where="w", experiment="dense_mixed_attention/table5", own="Dense", p={"uar": {}}
    )
    with pytest.raises(ConfigError, match="no row 'Dense'"):
        t_test_finding(tests)


def test_forms_are_all_different():
    assert len({(form.paired, form.sides, form.with_pooled) for form in FORMS}) == len(FORMS) == 8
