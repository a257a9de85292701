"""A plan of every experiment on the official tables, rebuilt by what is known of them.

Of SAMM, CASME II, CAS(ME)^2, SMIC-HS and MEGC 2019 counts and rows are known; of CASME and MMEW
counts alone (see ``tests.databases.official`` and ``assumed``).
"""

import pytest

from mer_keras.config.files import default_profile, experiment_names, load_experiments
from mer_keras.runs import context, expectation
from mer_keras.runs import plan as plans
from mer_keras.terms import Selection
from tests.databases import assumed, official
from tests.databases.published_flow import IMAGES, flat
from tests.databases.trees import picture

#: By edition of CASME II: label scheme -> what its line of differences from the paper says.
DIFFERENCES = {
    "2014": {
        "cde3_casme2": "147 clips (published: 150)",
        "cde3_samm": "133 clips (published: 132)",
        "meranet_casme2": "clips a class differ from the published ones: "
        "surprise 25 (published: 28)",
        "meranet_cas_me2": "clips a class differ from the published ones: happiness 22 "
        "(published: 18), anger 17 (published: 22), disgust 18 (published: 17)",
    },
    "2019": {
        "cde3_samm": "133 clips (published: 132)",
        "casme2_5": "clips a class differ from the published ones: surprise 28 (published: 25)",
        "objective5, casme2": "clips a class differ from the published ones: happiness 30 "
        "(published: 25), surprise 18 (published: 15), anger 93 (published: 99), "
        "disgust 15 (published: 26), sadness 18 (published: 20)",
    },
}


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """Data roots by edition of CASME II; everything else is there once."""
    first, second = (tmp_path_factory.mktemp(edition) for edition in DIFFERENCES)
    official.write_samm(first / "SAMM")
    official.write_casme2(first / "CASME2", "2014")
    official.write_cas_me2(first / "CAS(ME)^2")
    official.write_smic(first / "SMIC")
    official.write_megc2019(first)
    assumed.write_casme(first / "CASME")
    assumed.write_mmew(first / "MMEW")
    flow = {"clips": official.megc2019_clips(first), "content": picture(".png", 0, 28)}
    flat(first / "megc2019_flow", **flow)
    flat(first / "megc2019_key_frames", images=IMAGES, **flow)
    official.write_casme2(second / "CASME2", "2019")
    for name in ("SAMM", "SMIC"):
        (second / name).symlink_to(first / name)
    return {"2014": first, "2019": second}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def plan(roots, cache, monkeypatch):
    """Return the plan of an experiment with small inputs.

    Networks aren't built and this machine isn't timed, neither of which depends on tables.
    """
    monkeypatch.setenv("MER_CACHE", str(cache))
    monkeypatch.setattr(context, "check_networks", lambda *_: None)
    monkeypatch.setattr(plans, "multiply_accumulates", lambda *_: 1e6)
    monkeypatch.setattr(expectation, "rate_of_machine", lambda: 1e11)

    def describe(config, edition):
        monkeypatch.setenv("MER_DATA", str(roots[edition]))
        inputs = {
            name: clip if clip.kind == "flow_image" else small(clip)
            for name, clip in config.inputs.items()
        }
        return plans.describe_plan(config.model_copy(update={"inputs": inputs}), "real")

    return describe


def small(clip):
    flow = clip.flow.model_copy(update={"method": "farneback", "compute_size": 32})
    return clip.model_copy(update={"size": 32, "flow": flow})


def check(plan, config, edition):
    """Every clip of the table is planned or left out by the scheme, and each difference told."""
    schemes = {config.data.scheme_of(name) for name in config.data.databases}
    expected = {
        f"{scheme}: {line}"
        for scheme, line in DIFFERENCES[edition].items()
        if scheme.partition(",")[0] in schemes
    }
    told = {note for note in plan["notes"] if "(published: " in note}
    assert told == expected
    for fold in plan["folds"]:
        held_back = 0 if config.selection is Selection.TEST_FOLD else fold["val"]
        assert fold["train"] + held_back + fold["test"] == plan["n_samples"]


def first_on_each_database():
    """Experiments of which each has data that no earlier one has."""
    planned, names = set(), []
    for name in experiment_names():
        data = {config.data.model_dump_json() for config in load_experiments(name)}
        if not data <= planned:
            names.append(name)
        planned |= data
    return names


@pytest.mark.parametrize("name", first_on_each_database())
def test_fault_45_all_data_are_planned_and_say_what_differs(plan, name):
    for config in load_experiments(name, profile=default_profile(name)):
        check(plan(config, "2014"), config, "2014")


@pytest.mark.long
@pytest.mark.parametrize("name", experiment_names())
def test_fault_45_every_experiment_is_planned_as_in_its_paper(plan, name):
    for config in load_experiments(name):
        described = plan(config, "2014")
        check(described, config, "2014")
        for line in config.not_reproduced:
            assert f"not as in the paper: {line}" in described["notes"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("dense_mixed_attention/table5", marks=pytest.mark.long),
        "dense_mixed_attention/table7",
        "micro_attention/table2",
        "meranet/table1/casme2",
    ],
)
def test_fault_46_the_edition_of_2019_is_planned_and_says_what_differs(plan, name):
    (config,) = load_experiments(name, profile="quick")
    described = plan(config, "2019")
    check(described, config, "2019")
    words = "sadness 4 (printed: 7), surprise 28 (printed: 25)"
    assert any(words in note for note in described["notes"])


def test_the_composite_of_megc_2019_is_planned_with_the_three_databases_frames(plan):
    overrides = ["data.database=megc2019", "data.labels=megc3"]
    (config,) = load_experiments("micro_attention/table4", profile="quick", overrides=overrides)
    described = plan(config, "2014")
    assert (described["n_samples"], described["n_subjects"]) == (442, 68)
    assert not [note for note in described["notes"] if "(published: " in note]
