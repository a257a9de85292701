"""Known errors of the official tables: what is corrected, and what is left alone."""

from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.databases import corrections
from mer_keras.databases.corrections import apply_corrections, corrections_for
from mer_keras.databases.registry import DATABASES
from mer_keras.databases.samples import ClipAnnotation
from mer_keras.errors import InvariantError

#: SAMM's clip whose apex lies outside in one release, and CASME II's that ends early if cropped.
STRAY = ClipAnnotation(
    "samm", "028", "028_4_1", Path("x"), "anger", row=7, onset=100, apex=1, offset=150
)
SHORT = ClipAnnotation(
    "casme2", "sub16", "EP01_08", Path("x"), "fear", row=9, onset=73, apex=94, offset=110
)


def test_an_apex_outside_the_clip_becomes_not_annotated():
    (clip,), remarks = apply_corrections([STRAY])
    assert clip == replace(STRAY, apex=None, corrected=True)
    assert remarks == ["known errors of the table corrected in 1 row(s): 7"]


@pytest.mark.parametrize(
    ("clip", "onset", "printed", "apex"),
    [("028_4_1", 1080, 1143, 1113), ("032_3_1", 4900, 1930, 4930)],
)
def test_a_misprinted_apex_of_samm_becomes_what_another_copy_has(clip, onset, printed, apex):
    subject = clip[:3]
    row = ClipAnnotation(
        "samm", subject, clip, Path("x"), "anger", onset=onset, apex=printed, offset=onset + 50
    )
    (corrected,), _ = apply_corrections([row])
    assert corrected == replace(row, apex=apex, corrected=True)


@given(st.integers(100, 150) | st.none())
def test_a_release_that_is_right_already_stays_as_it_is(apex):
    clip = replace(STRAY, apex=apex)
    assert apply_corrections([clip]) == ([clip], [])


@pytest.mark.parametrize(
    ("reading", "own", "offset"),
    [
        ("cropped", None, 96),
        ("raw", None, 110),
        ("any", None, 110),
        ("any", "cropped", 96),
        ("cropped", "raw", 110),
    ],
)
def test_a_correction_may_be_for_one_kind_of_frames(reading, own, offset):
    """What a clip itself says of its frames goes before what the reading says."""
    (clip,), _ = apply_corrections([replace(SHORT, frame_source=own)], reading)
    assert clip.offset == offset
    assert clip.corrected == (offset == 96)


@given(st.integers(0, 10**6).filter(lambda offset: offset != 110))
def test_only_the_expected_value_is_replaced(offset):
    clip = replace(SHORT, offset=offset)
    assert apply_corrections([clip], "cropped") == ([clip], [])


@given(st.sampled_from(["samm", "casme2", "smic"]), st.text(max_size=8), st.text(max_size=8))
def test_clips_that_nobody_corrected_are_left_alone(database, subject, name):
    clip = ClipAnnotation(database, subject, name, Path("x"), "fear", apex=5)
    if (subject, name) not in {(c.subject, c.clip) for c in corrections_for(database)}:
        assert apply_corrections([clip]) == ([clip], [])


def test_each_file_is_for_a_database_and_each_line_has_reason_and_source():
    files = [f.name for f in (resources.files("mer_keras.databases") / "corrections").iterdir()]
    assert {name.removesuffix(".csv") for name in files} <= set(DATABASES)
    for name in files:
        known = corrections_for(name.removesuffix(".csv"))
        assert known and all(c.why and c.source for c in known)
        assert len({(c.subject, c.clip, c.was) for c in known}) == len(known)


def test_a_line_without_a_reason_is_refused(tmp_path, monkeypatch):
    (tmp_path / "corrections").mkdir()
    (tmp_path / "corrections" / "made_up.csv").write_text(
        "subject,clip,frame_source,column,was,becomes,why,source\na,b,any,apex,1,2,,somebody\n"
    )
    monkeypatch.setattr(corrections.resources, "files", lambda _: tmp_path)
    with pytest.raises(InvariantError, match="row 2: needs a column, a reason and a source"):
        corrections_for("made_up")
