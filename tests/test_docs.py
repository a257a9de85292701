"""The documentation: built strictly, it asks for nothing from a network; everyone can read it."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.long


class Facts(HTMLParser):
    """What a page loads, and what its readers need: headings in order, names of pictures."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.levels, self.nameless = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag in ("script", "img", "iframe", "source") and values.get("src"):
            self.loads.append(values["src"])
        if tag == "link" and values.get("rel") in ("stylesheet", "icon", "preconnect", "preload"):
            self.loads.append(values["href"])
        if tag == "img" and not values.get("alt"):
            self.nameless.append(values.get("src"))
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, as `make docs` builds it; a warning would be an error."""
    pytest.importorskip("mkdocs", reason="make docs installs it")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir"]
    done = subprocess.run([*command, str(folder)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    """Facts of every page of docs/, by its name."""
    return {path.name: Facts(path.read_text()) for path in site.glob("*.html")}


def test_every_page_is_there(site, pages):
    expected = {path.with_suffix(".html").name for path in ROOT.glob("docs/*.md")}
    assert expected | {"index.html", "CONTRIBUTING.html", "CHANGELOG.html"} <= {*pages}
    assert (site / "results/published/leaderboard/page/leaderboard.html").is_file()


def test_no_page_loads_anything_from_a_network(site, pages):
    for name, page in pages.items():
        outside = [address for address in page.loads if re.match(r"(https?:)?//", address)]
        assert not outside, name
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", style.read_text()), style


def test_headings_go_down_by_one_level_and_pictures_have_names(pages):
    for name, page in pages.items():
        assert page.levels and page.levels[0] == 1, name
        steps = [b - a for a, b in zip(page.levels, page.levels[1:], strict=False)]
        assert max(steps, default=0) <= 1, name
        assert not page.nameless, name


def test_lists_are_made_from_code(site):
    from mer_keras.config.keys import config_keys
    from tests.faults import FAULTS
    from tests.test_commands import VERBS

    text = (site / "configuration.html").read_text()
    assert all(f"<code>{key.name}</code>" in text for key in config_keys())
    text = (site / "commands.html").read_text()
    assert all(re.search(rf'<h2 id="[^"]*">{verb}<', text) for verb in VERBS)
    text = (site / "trouble.html").read_text()
    assert all(f"<td>{number}</td>" in text for number in FAULTS)
    assert "<table>" in (site / "corrections.html").read_text()
    for page in site.glob("*.html"):
        text = page.read_text()
        assert "put here:" not in text and "stands here" not in text, page.name


def test_the_python_interface_is_described(site):
    text = (site / "api.html").read_text()
    for name in (
        "evaluation.metrics.uf1",
        "protocols.build.build_folds",
        "methods.contract.Method",
    ):
        assert f'id="mer_keras.{name}"' in text


def test_searching_works_from_a_folder(site, tmp_path):
    from tests.report.test_browser import BROWSER

    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr")
    options += (f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--dump-dom")
    address = f"{(site / 'index.html').as_uri()}?q=magnification"
    done = subprocess.run(
        [BROWSER, *options, address], capture_output=True, text=True, timeout=300, check=False
    )
    assert "md-search-result__item" in done.stdout
    assert "CONSOLE" not in done.stderr
