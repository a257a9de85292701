"""The experiments that are shipped: all printed tables, all described methods."""

import pytest

from mer_keras.config.files import experiment_names, load_experiments, load_method

NAMES = experiment_names()

#: Networks on frames of papers that others compare with, and three that no table quotes: in one
#: experiment of each profile they run.
FRAME_NETWORKS = {
    ("quick", "shallow_attention/comparators"): "elrcn_te dtscnn alexnet_lstm",
    ("quick", "dense_mixed_attention/table5"): "capsulenet emr icegan_discriminator",
    ("quick", "dense_mixed_attention/table9"): "alexnet googlenet",
    ("quick", "microexp_stcnn/as_published"): "microexp_stcnn microexp_fusenet",
    ("quick", "frame_networks/casme2"): "strcn elrcn vgg16",
    ("smoke", "frame_networks/casme2"): "strcn elrcn vgg16",
    ("smoke", "shallow_attention/table1"): "elrcn_te dtscnn alexnet_lstm",
    ("smoke", "dense_mixed_attention/table5"): "capsulenet emr icegan_discriminator",
    ("smoke", "dense_mixed_attention/table7"): "alexnet",
    ("smoke", "dense_mixed_attention/table9"): "googlenet",
    ("smoke", "microexp_stcnn/as_published"): "microexp_stcnn microexp_fusenet",
}

#: What each paper prints, and where it is reproduced: one place for each.
PRINTED = {
    "shallow_convlstm": ("table1", "table2", "table3", "table4", "seven_classes"),
    "shallow_attention": ("table1", "table2", "kernel", "readout"),
    "micro_attention": ("table2", "table3", "table4", "table5", "table6", "no_transfer"),
    "meranet": ("table1", "table1_as_published", "parameters", "figure4", "figure5"),
    "dense_mixed_attention": (
        *(f"table{n}" for n in range(5, 14)),
        *("figure5", "figure6a", "figure6b", "figure6c", "figure7", "t-tests"),
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_loads_in_every_profile(name):
    for profile in ("full", "quick", "smoke"):
        for config in load_experiments(name, profile=profile):
            assert config.name.startswith(name)
            assert any(plan.role == "row" for plan in config.plans)
            assert any(plan.role == "baseline" for plan in config.plans)
            assert config.not_reproduced or (profile != "full" and config.not_inherited)


@pytest.mark.parametrize(("profile", "name"), FRAME_NETWORKS)
def test_networks_on_frames_run_in_one_table_of_each_profile(profile, name):
    (config,) = load_experiments(name, profile=profile)
    networks = {plan.config.network.model for plan in config.plans if plan.config.network}
    assert set(FRAME_NETWORKS[profile, name].split()) <= networks


@pytest.mark.parametrize("name", NAMES)
def test_every_row_says_something_and_every_quoted_one_has_a_described_method(name):
    for config in load_experiments(name):
        for row in config.rows:
            compared = row.published or row.arguments or "not in the paper" in config.table
            compared = compared or config.paper is None
            assert compared, f"{row.name} has nothing to say"
            assert row.method, f"{row.name} names no method"
            if row.quoted and config.plan_of(row) is None and row.runs:
                assert load_method(row.method).missing


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("micro_attention/table2", "Figure 4"),
        ("meranet/table1/casme2", "Figure 6"),
        ("dense_mixed_attention/table11", "Figure 8"),
    ],
)
def test_a_figure_that_no_run_draws_is_said_and_not_promised(name, figure):
    (config,) = load_experiments(name)
    lines = [line for line in config.not_reproduced if figure in line]
    assert [line for line in lines if f"mer-keras explain {name} does" in line]
    assert figure.lower().replace(" ", "") not in config.also_reproduces


@pytest.mark.parametrize("place", [f"{m}/{t}" for m, ts in PRINTED.items() for t in ts])
def test_every_printed_table_has_its_config(place):
    (config, *_) = load_experiments(place)
    method, table = place.split("/")
    assert config.name.startswith(f"{method}/")
    assert config.name.split("/")[1] == table or table in config.also_reproduces


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ("htnet causalnet emr capsulenet off_tanet", {"tested_best"}),
        ("rcn ststnet elrcn", {"last"}),
        # Means of the last epochs, or the last, are printed too.
        ("microexp_stcnn ice_gan", {"tested_best", "last"}),
    ],
)
def test_what_chose_the_epoch_of_each_claim(names, chosen):
    for name in names.split():
        claims = load_method(name).claims
        assert {claim.chosen_epoch for claim in claims} == chosen, name
        assert all(claim.chosen_by for claim in claims)


@pytest.mark.parametrize("name", ["mmnet", "skd_tstsan", "slstt"])
def test_what_chooses_the_epoch_is_said_where_no_number_is_held(name):
    assert any("tested" in fact and "epoch" in fact for fact in load_method(name).facts)
