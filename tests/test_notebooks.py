"""The committed notebooks: one a paper, run from top to bottom, nothing private in them.

That they run is seen by ``make check-notebooks``.
"""

import json
import platform
import re
from pathlib import Path

import pytest

from mer_keras.audit.published import papers
from mer_keras.terms import WATERMARK

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def cells(path):
    return json.loads(path.read_text())["cells"]


def texts(path):
    """All outputs of a notebook as text."""
    for cell in cells(path):
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            yield "".join(output.get("text", "")) + json.dumps(data)


def test_one_a_paper():
    """Other audited papers have networks that are rows of these five papers' tables."""
    assert {path.stem for path in NOTEBOOKS} == set(papers()) - {
        "capsulenet",
        "ststnet",
        "microexp_stcnn",
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestEachNotebook:
    def test_was_run_from_top_to_bottom_without_an_error(self, path):
        code = [cell for cell in cells(path) if cell["cell_type"] == "code"]
        assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
        for cell in code[1:]:
            assert cell["outputs"], "".join(cell["source"])
            assert not [o for o in cell["outputs"] if o["output_type"] == "error"]
            assert not [o for o in cell["outputs"] if o.get("name") == "stderr"]

    def test_names_no_machine_and_no_place(self, path):
        whole = path.read_text()
        pictureless = re.sub(r"base64,[A-Za-z0-9+/=]+", "", whole)
        assert str(ROOT) not in pictureless
        assert not re.search(r"(?<![\w.])/(home|root|tmp|work|Users)/", pictureless)
        if len(platform.node()) > 3:
            assert platform.node() not in pictureless

    def test_says_that_its_faces_are_drawn(self, path):
        assert sum(WATERMARK in text for text in texts(path)) >= 3
        prose = "".join("".join(c["source"]) for c in cells(path) if c["cell_type"] == "markdown")
        assert "drawn faces" in prose

    def test_no_output_holds_both_a_published_and_a_drawn_number(self, path):
        for text in texts(path):
            if WATERMARK in text:
                assert "published" not in re.sub(r"as_published|Published and", "", text).lower()

    def test_is_small_enough_to_be_read_online(self, path):
        assert path.stat().st_size < 3_000_000
