"""Recipes that methods bring along: where they come from, what stands over them."""

import pytest

from mer_keras.config.files import load_config, load_experiments
from mer_keras.errors import ConfigError
from tests.config.small import FILE, SVM

RECIPE = {"kind": "frames", "frames": 10, "size": 128, "sampling": "interpolated"}
TEXTURE = SVM | {"input": "texture", "inputs": {"texture": RECIPE}}
ROWS = {"rows": [{"name": "own", "method": "resnet10"}, {"name": "old", "method": "texture"}]}


@pytest.fixture
def table(add):
    """A table with a row whose method brings an input; returns a function that loads it."""
    add("methods/texture", TEXTURE)

    def load(*overrides, profile="full", **changes):
        path = add("paper/table2", FILE | {"name": "paper/table2"} | ROWS | changes)
        return load_config(path, profile=profile, overrides=overrides)

    return load


def test_the_experiment_has_the_input_that_its_method_brings(table):
    config = table()
    assert list(config.inputs) == ["clips", "motion", "texture"]
    assert config.inputs["texture"].model_dump(exclude_unset=True) == RECIPE
    assert config.plans[1].inputs == ("texture",)


def test_the_experiments_own_values_stand_over_the_recipe(table):
    config = table(inputs=FILE["inputs"] | {"texture": {"size": 64}})
    assert (config.inputs["texture"].size, config.inputs["texture"].frames) == (64, 10)


def test_profiles_and_overrides_know_it(table):
    profiles = {"full": {}, "quick": {"inputs.texture.frames": 6}}
    assert table(profiles=profiles, profile="quick").inputs["texture"].frames == 6
    assert table("inputs.texture.size=32").inputs["texture"].size == 32


def test_a_method_that_an_override_names_brings_its_input(table):
    config = table("rows.0.method=texture", "rows.1.runs=false", rows=ROWS["rows"])
    assert config.plans[0].inputs == ("texture",)
    assert config.inputs["texture"].size == 128


def test_the_face_is_cut_as_in_the_experiments_clips(table, add):
    clips = FILE["inputs"]["clips"] | {"crop": "haar", "align": False}
    texture = table(inputs={"clips": clips}).inputs["texture"]
    assert (texture.crop, texture.align) == ("haar", False)
    profiles = {"full": {"inputs.clips.crop": "none"}}
    assert table(inputs={"clips": clips}, profiles=profiles).inputs["texture"].crop == "none"
    add("methods/texture", TEXTURE | {"inputs": {"texture": RECIPE | {"crop": "centre"}}})
    assert table(inputs={"clips": clips}).inputs["texture"].crop == "centre"


def test_a_row_that_reads_another_input_leaves_the_recipe_out(table):
    rows = [ROWS["rows"][0], ROWS["rows"][1] | {"input": "clips"}]
    config = table(rows=rows)
    assert "texture" not in config.inputs
    assert config.plans[1].inputs == ("clips",)


def test_a_row_that_does_not_run_brings_nothing(table):
    assert "texture" not in table(rows=[ROWS["rows"][0], ROWS["rows"][1] | {"runs": False}]).inputs


def test_a_baseline_brings_its_input(table):
    assert "texture" in table(rows=ROWS["rows"][:1], baselines=["texture"]).inputs


def test_methods_of_one_recipe_share_an_input_and_others_are_refused(table, add):
    rows = [*ROWS["rows"], {"name": "third", "method": "third"}]
    add("methods/third", TEXTURE)
    assert list(table(rows=rows).inputs) == ["clips", "motion", "texture"]
    add("methods/third", TEXTURE | {"inputs": {"texture": RECIPE | {"frames": 15}}})
    with pytest.raises(ConfigError, match=r"'third' brings an input 'texture'.*rename"):
        table(rows=rows)


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": 5},
        {"inputs": {"texture": 5}},
        {"inputs": {"clips": {"kind": "frames"}, "texture": {"size": [1]}}},
        {"methods": {"texture": {"inputs": 5}}},
        {"methods": {"texture": SVM | {"input": 5, "inputs": {"texture": 5}}}},
    ],
)
def test_what_has_the_wrong_form_is_told(table, changes):
    with pytest.raises(ConfigError):
        table(**changes)


def test_shipped_tables_have_the_inputs_of_their_methods():
    for config in load_experiments("dense_mixed_attention/table8"):
        for plan in config.plans:
            assert set(plan.inputs) <= set(config.inputs)
