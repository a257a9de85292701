"""Every page that this package writes, by the checks of ``tests/page_checks.py``."""

import pytest

from mer_keras.report.document import write_report
from tests.page_checks import complaints_of, contrast
from tests.report.stored import CONFIG, make_run


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    views = [
        make_run(folder / "runs", kind="licensed", record_epochs=True, warnings=["<b>x</b>"]),
        make_run(folder / "runs", kind="licensed", selection="test_fold"),
        make_run(folder / "runs", kind="synthetic", profile="quick"),
    ]
    write_report([(CONFIG, views)], folder / "out")
    return (folder / "out/report.html").read_text()


def test_a_report_has_nothing_to_complain_of(page):
    assert complaints_of(page) == []


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("<main", '<img src="https://a.b/c.png" alt="x"><main', "requests: https://a.b/c.png"),
        ("<style>", "<style>@import x;", "requests: "),
        ("default-src 'none'", "default-src *", "requests: no policy forbids requests"),
        ("<main", "<h4>x</h4><main", "headings: h4 follows h1"),
        ('role="img"', "", "pictures: svg without a name"),
        ("<main", "<button></button><main", "names: <button {}> has no name"),
        ("<main", '<a href="#nowhere">x</a><main', "references: href leads to 'nowhere'"),
        ("<main", '<p id="main">x</p><main', "references: id 'main' stands 2 times"),
        ('<html lang="en">', "<html>", "head: no language"),
        ("--soft: #55606d", "--soft: #99a0aa", "contrasts: soft on paper in the light"),
        (
            "fill: var(--warn)",
            "fill: #8a3b00",
            "drawings: text of a drawing is filled",
        ),
    ],
    ids=lambda value: value[:24],
)
def test_each_check_can_fail(page, before, after, complaint):
    assert before in page
    broken = complaints_of(page.replace(before, after))
    assert any(text.startswith(complaint) for text in broken), broken


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    # Success criterion 1.4.3 calls #777777 on white just too light, #767676 just dark enough.
    assert contrast("#777777", "#ffffff") < 4.5 < contrast("#767676", "#ffffff")
