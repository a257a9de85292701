"""``mer-keras score``: what it prints of a file of predictions."""

import json
from pathlib import Path

import pytest

from mer_keras.cli.score import score
from mer_keras.errors import UserError

LOG = Path(__file__).parents[2] / "experiments/ststnet/authors_log.csv"


def test_in_words(capsys):
    score(LOG, "negative,positive,surprise", as_json=False)
    text = capsys.readouterr().out
    assert "71.86 [" in text  # mean recall
    assert "76.05 [" in text  # mean precision, which the paper prints as UAR
    assert "all: negative 250, positive 109, surprise 83" in text
    assert "warning" not in text


def test_a_class_that_is_named_twice_is_refused():
    with pytest.raises(UserError, match="--classes a,b, a: 'a' stands twice"):
        score(LOG, "a,b, a", as_json=False)


def test_as_json_with_warnings(capsys, tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("subject,label,predicted,note\ns,x,x,\nt,y,x,\n")
    score(path, "", as_json=True)
    tree = json.loads(capsys.readouterr().out)
    assert tree["classes"] == ["x", "y"]
    assert tree["warnings"] == ["columns that are not used: note"]
    (part,) = tree["parts"]
    assert part["metrics"]["uar"]["value"] == 0.5
    assert "2 people" in part["warnings"][0]
