"""SMIC-HS: folders as annotation, on its whole stand-in; names that releases write differently."""

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.databases import registry
from mer_keras.databases.readers import smic
from mer_keras.synthetic.stand_ins import LAYOUTS


def load(root, **options):
    return registry.load("smic", root, **options)


@pytest.mark.slow
def test_names_are_those_of_the_challenge(sketched):
    ids = load(sketched("smic")).ids
    assert all(i.split("/")[2].startswith(i.split("/")[1]) for i in ids)
    assert all(len(i.split("/")[1]) == 3 for i in ids)


@pytest.mark.slow
def test_a_clip_is_its_whole_folder_and_nobody_annotated_an_apex(sketched):
    table = load(sketched("smic")).table
    assert table["apex"].isna().all()
    clips = {tuple(c.name.split("_")): c for c in LAYOUTS["smic"].draw_clips(0)}
    first = table.iloc[0]
    clip = clips["s1", *first["clip"].split("_")[1:]]
    assert (first["onset"], first["offset"]) == (clip.onset, clip.offset)


@pytest.mark.slow
def test_strange_folders_are_counted(sketched, tmp_path):
    root = tmp_path / "SMIC"
    shutil.copytree(sketched("smic"), root)
    (root / "SMIC_all_cropped/HS/s1/micro/negative/backup").mkdir()
    (root / "SMIC_all_cropped/HS/s1/micro/Thumbs").mkdir()
    (root / "SMIC_all_cropped/HS/notes").mkdir()
    samples = load(root)
    assert len(samples.table) == 164
    assert any(line.startswith("1 folder(s) that are no clip") for line in samples.warnings)


@given(st.text())
def test_names_have_one_form(name):
    for normalise in (smic.normalise_subject, smic.normalise_clip):
        once = normalise(name)
        assert normalise(once) == once


@given(st.integers(1, 99), st.integers(1, 999), st.integers(0, 2))
def test_names_lose_nothing_but_zeros(subject, clip, zeros):
    pad = "0" * zeros
    assert smic.normalise_subject(f"S{pad}{subject}") == f"s{subject:02d}"
    assert smic.normalise_clip(f"s{pad}{subject}_Ne_{pad}{clip}") == f"s{subject:02d}_ne_{clip:02d}"
