"""CAS(ME)^2: three sheets without a header, on its whole stand-in."""

import pytest

from mer_keras.databases import registry

#: Whole stand-ins are written and read.
pytestmark = pytest.mark.slow


def load(root, **options):
    return registry.load("cas_me2", root, **options)


def test_an_offset_of_zero_is_the_apex(sketched):
    samples = load(sketched("cas_me2"))
    assert any("offset 0, the apex stands in, in 1 row(s)" in w for w in samples.warnings)
    assert (samples.table["offset"] == samples.table["apex"]).sum() == 1


def test_two_clips_of_one_name_are_told_apart_by_their_onset(sketched):
    samples = load(sketched("cas_me2"))
    (again,) = [i for i in samples.ids if "@" in i]
    assert again.rsplit("@")[0] in samples.ids


def test_the_misnamed_folder_is_found_by_the_code_of_its_stimulus(sketched):
    root = sketched("cas_me2")
    assert any(p.name.startswith("23_0502") for p in (root / "rawpic" / "s19").iterdir())
    assert len(load(root).table) == 57


def test_fault_12_full_width_commas_in_action_units_become_ascii(sketched):
    units = load(sketched("cas_me2")).table["action_units"]
    assert units.str.contains(",").any()
    assert not units.str.contains("\uff0c").any()


def test_macro_expressions_are_counted_not_read(sketched):
    samples = load(sketched("cas_me2"))
    assert any("300 macro-expressions are not read" in w for w in samples.warnings)
