"""The page in a headless browser: no complaint, no request, nothing cut off."""

import json
import re
import shutil
import subprocess

import pytest

from mer_keras.report.document import write_report
from tests.report.stored import CONFIG, make_run

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine"),
]


def browse(page, folder, *options):
    """Open the page; return what the browser printed and the addresses that it asked for."""
    log = folder / "net.json"
    done = subprocess.run(
        [
            BROWSER,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={log}",
            *options,
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    asked = re.findall(r'"url":"([^"]+)"', log.read_text(errors="replace"))
    return done.stdout, done.stderr, asked


@pytest.fixture
def page(tmp_path):
    views = [
        make_run(tmp_path / "runs", selection=s, kind=kind, warnings=["<img src=http://a.b/c>"])
        for s in ("inner_subjects", "test_fold")
        for kind in ("licensed", "synthetic")
    ]
    write_report([(CONFIG, views)], tmp_path / "out")
    return tmp_path / "out/report.html"


def test_the_page_asks_for_nothing_and_complains_of_nothing(page, tmp_path):
    dom, printed, asked = browse(page, tmp_path, "--dump-dom")
    assert "Published and reproduced" in dom
    assert "CONSOLE" not in printed
    outside = [url for url in asked if not url.startswith(("file:", "data:", "chrome"))]
    assert not [url for url in outside if "a.b" in url]
    # what the browser itself asks of its maker is not the page's doing
    assert not [url for url in outside if "google" not in url and "gvt1" not in url]


def test_a_console_complaint_would_be_seen(page, tmp_path):
    """The check above must be able to fail: a script is refused by the page's own policy."""
    text = page.read_text().replace("</main>", "<script>1</script></main>")
    page.write_text(text)
    assert "CONSOLE" in browse(page, tmp_path, "--dump-dom")[1]


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(page, tmp_path, width):
    """Tables scroll in their own frame; the page itself does not."""
    probe = (
        "<script>document.title = JSON.stringify("
        "[document.documentElement.scrollWidth, window.innerWidth])</script></body>"
    )
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text()).replace("</body>", probe)
    page.write_text(text)
    dom, _, _ = browse(page, tmp_path, "--dump-dom", f"--window-size={width},2000")
    inner, outer = json.loads(re.search(r"<title>(\[.*?\])</title>", dom)[1])
    assert inner <= outer


def test_a_section_is_read_without_long_scrolling(tmp_path):
    """A table on drawn faces, nothing unfolded: five of them stay under 6,000 pixels."""
    view = make_run(tmp_path / "runs", kind="synthetic", profile="quick")
    write_report([(CONFIG, [view])], tmp_path / "out")
    path = tmp_path / "out/report.html"
    probe = "<script>document.title = document.documentElement.scrollHeight</script></body>"
    text = re.sub(r"<meta http-equiv[^>]*>", "", path.read_text()).replace("</body>", probe)
    path.write_text(text)
    dom, _, _ = browse(path, tmp_path, "--dump-dom", "--window-size=1280,800")
    assert 500 < int(re.search(r"<title>(\d+)</title>", dom)[1]) < 1500


def test_it_prints(page, tmp_path):
    target = tmp_path / "out.pdf"
    browse(page, tmp_path, f"--print-to-pdf={target}", "--no-pdf-header-footer")
    assert target.read_bytes().startswith(b"%PDF")
