"""A row of an experiment by one word."""

import pytest

from mer_keras.bundles.naming import experiment_and_row
from mer_keras.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ststnet/megc2019", ("ststnet/megc2019", None)),
        ("ststnet/megc2019:", ("ststnet/megc2019", None)),
        ("ststnet/megc2019:STSTNet", ("ststnet/megc2019", "STSTNet")),
        ("ststnet/megc2019:a row: its name", ("ststnet/megc2019", "a row: its name")),
        ("meranet/table1/casme2:meranet", ("meranet/table1/casme2", "meranet")),
    ],
)
def test_shipped_experiments(name, expected):
    assert experiment_and_row(name) == expected


def test_a_file_whose_path_has_a_colon(tmp_path):
    file = tmp_path / "a:b.yaml"
    file.write_text("")
    assert experiment_and_row(str(file)) == (str(file), None)
    assert experiment_and_row(f"{file}:row") == (str(file), "row")


@pytest.mark.parametrize("name", ["no/such", "no/such:row", ":row", ""])
def test_unknown_experiments(name):
    with pytest.raises(ConfigError, match="no experiment"):
        experiment_and_row(name)
