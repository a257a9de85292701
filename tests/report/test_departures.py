"""What is not as in a paper, of experiments and networks."""

import pytest

from mer_keras.config.files import experiment_names, load_experiments
from mer_keras.models.registry import MODELS
from mer_keras.report.departures import departures_of

PAPERS = (
    "shallow_convlstm",
    "shallow_attention",
    "micro_attention",
    "meranet",
    "dense_mixed_attention",
)


@pytest.mark.parametrize("name", [n for n in experiment_names() if n.split("/")[0] in PAPERS])
def test_every_table_shows_its_own_departures_and_those_of_its_networks(name):
    for config in load_experiments(name):
        lines = departures_of(config)
        assert lines[: len(config.not_reproduced)] == list(config.not_reproduced)
        assert len(set(lines)) == len(lines)
        for plan in config.plans:
            if plan.role == "row" and plan.config.network is not None:
                spec = MODELS[plan.config.network.model]
                for departure in spec.departures:
                    (line,) = [line for line in lines if line.endswith(departure.sentence)]
                    assert spec.title in line


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shallow_convlstm/table1", ["pixel_probability", "crop", "'padding'", "'peepholes'"]),
        ("shallow_attention/table1", ["pixel_probability", "crop", "'pool_stride'", "'key_dim'"]),
        (
            "micro_attention/table2",
            ["ten residual", "'activation'", "gray channel", "'batch_norm'"],
        ),
        ("micro_attention/no_transfer", ["failed to converge"]),
        (
            "meranet/table1",
            ["'reduction'", "warmup=exponential", "'xavier'", "order of the classes"],
        ),
        ("meranet/figure5", ["Section 5.3 names no database"]),
        (
            "dense_mixed_attention/table5",
            [
                *("before_crop", "'attended'", "'slope'", "takes Adam", "balance", "CK+", "RAF-DB"),
                *("eyes are levelled", "divided by 255"),
            ],
        ),
    ],
)
def test_what_is_left_open_is_said_under_its_table(name, words):
    for config in load_experiments(name):
        lines = " ".join(departures_of(config))
        for word in words:
            assert word in lines, word
