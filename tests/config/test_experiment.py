from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.config.experiment import Experiment
from mer_keras.config.files import experiment_names, find_config, load_config, load_experiments
from mer_keras.errors import ConfigError
from mer_keras.models.registry import MODELS

NAMES = experiment_names()
ONE = find_config("shallow_convlstm/table1")[0]


@pytest.mark.parametrize("profile", ["full", "quick", "smoke"])
@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_loads_in_every_profile(name, profile):
    for config in load_experiments(name, profile=profile):
        assert config.name.startswith(name)
        own = [row for row in config.rows if not row.quoted]
        assert own
        for row in config.rows:
            compared = row.published or row.arguments or "not in the paper" in config.table
            assert compared, f"{row.name} has nothing to say"
            assert row.quoted or row.model in MODELS
        assert config.baselines
        assert config.not_reproduced


#: what each paper prints, and where it is reproduced: one place for each
PRINTED = {
    "shallow_convlstm": ("table1", "table2", "table3", "table4", "seven_classes"),
    "shallow_attention": ("table1", "table2", "kernel", "readout"),
    "micro_attention": ("table2", "table3", "table4", "table5", "table6", "figure4"),
    "meranet": ("table1", "table1_as_published", "parameters", "figure4", "figure5", "figure6"),
    "dense_mixed_attention": (
        *(f"table{n}" for n in range(5, 14)),
        *("figure5", "figure6a", "figure6b", "figure6c", "figure7", "figure8", "t-tests"),
    ),
}


@pytest.mark.parametrize("place", [f"{m}/{t}" for m, ts in PRINTED.items() for t in ts])
def test_every_printed_table_has_its_config(place):
    (config, *_) = load_experiments(place)
    method, table = place.split("/")
    assert config.name.startswith(f"{method}/")
    assert config.name.split("/")[1] == table or table in config.also_reproduces


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("train.epoch=5", "did you mean 'epochs'"),
        ("train.epochs=five", "train.epochs"),
        ("train.epochs=0", "greater than or equal to 1"),
        ("train.augmentation.flp=1", "did you mean 'flip'"),
        ("train.epochs", "expected key=value"),
        ("train.epochs=[", "not YAML"),
        ("name.first=x", "goes into 'name', which holds a value"),
        ("protocol.k=null", "'k' is needed"),
        ("selection=external", "set by --weights"),
        ("rows=[]", "at least 1 item"),
    ],
)
def test_bad_overrides_say_what_to_do(override, complaint):
    with pytest.raises(ConfigError, match=complaint) as caught:
        load_config(ONE, overrides=[override])
    assert caught.value.exit_code == 2


def test_overrides_come_after_the_profile():
    config = load_config(ONE, profile="quick", overrides=["train.epochs=3"])
    assert config.train.epochs == 3
    assert config.data.clip.size == 24


def test_unknown_profile_and_experiment():
    with pytest.raises(ConfigError, match="did you mean 'quick'"):
        load_config(ONE, profile="quik")
    with pytest.raises(ConfigError, match=r"did you mean 'shallow_convlstm/table1'"):
        find_config("shallow_convlst/table1")


def test_files_that_are_no_config(tmp_path):
    for text in ("- a\n", "a: [\n", "\x00", "!!python/object/apply:os.system ['true']"):
        file = tmp_path / "bad.yaml"
        file.write_text(text)
        with pytest.raises(ConfigError):
            load_config(file)
    with pytest.raises(ConfigError, match="no such config"):
        load_config(tmp_path / "absent.yaml")
    (tmp_path / "big.yaml").write_text("#" * 1_000_001)
    with pytest.raises(ConfigError, match="larger than"):
        load_config(tmp_path / "big.yaml")


def test_digest_ignores_spelling_but_not_values():
    one = load_config(ONE)
    text = yaml.safe_dump(one.model_dump(mode="json"))
    spelt_out = Experiment.model_validate(yaml.safe_load(text))
    assert spelt_out.digest() == one.digest()
    assert load_config(ONE, overrides=["train.epochs=51"]).digest() != one.digest()


def test_a_row_is_own_or_quoted():
    tree = load_config(ONE).model_dump(mode="json")
    tree["rows"][0]["quoted"] = True
    with pytest.raises(ValueError, match="either 'model' or 'quoted"):
        Experiment.model_validate(tree)


def test_published_fraction():
    row = load_config(ONE).rows[0]
    assert row.published[0].fraction == pytest.approx(0.7833)


@given(st.text(max_size=200))
def test_any_text_is_a_config_or_a_config_error(text):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.yaml"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        with pytest.raises(ConfigError):
            load_config(file)
