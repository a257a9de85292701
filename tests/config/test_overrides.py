"""``key=value`` texts, whatever they hold."""

import re
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.config.data import Policies
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import find_config, load_config, load_experiments
from mer_keras.config.overrides import assign, parse_overrides, parse_policies
from mer_keras.config.yaml_text import MAX_VALUES
from mer_keras.errors import ConfigError
from tests.config.small import FILE

TABLE1 = find_config("shallow_convlstm/table1")[0]


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("train.epoch=5", "did you mean 'epochs'"),
        ("train.epochs=five", "train.epochs"),
        ("train.epochs=0", "greater than or equal to 1"),
        ("train.augmentation.flp=1", "did you mean 'flip'"),
        ("inputs.clips.sise=5", "did you mean 'size'"),
        ("inputs.other={kind: frames, sise: 5}", "did you mean 'size'"),
        (
            "inputs.clip.size=20",
            r"--set 'inputs.clip.size': no input 'clip' \(did you mean 'clips'\?\)",
        ),
        ("methods.majority.chance.strategi=x", "did you mean 'strategy'"),
        ("rows.0.metod=x", "did you mean 'method'"),
        ("train.epochs", "expected key=value"),
        ("train.epochs=[", "not YAML"),
        ("name.first=x", "goes into 'name', which holds a value"),
        ("protocol.k=null", "'k' is needed"),
        ("selection=external", "set by --weights"),
        ("rows=[]", "at least 1 item"),
        ("rows.0.input=flow", "reads input 'flow'"),
    ],
)
def test_bad_overrides_say_what_to_do(override, complaint):
    with pytest.raises(ConfigError, match=complaint) as caught:
        load_config(TABLE1, overrides=[override])
    assert caught.value.exit_code == 2


def test_an_input_may_be_added_key_by_key():
    overrides = ["inputs.apex.size=20", "inputs.apex.kind=frames"]
    assert load_config(TABLE1, overrides=overrides).inputs["apex"].size == 20


def test_an_error_shows_the_value_and_never_the_whole_config():
    with pytest.raises(ConfigError) as caught:
        load_config(TABLE1, overrides=["selection=external"])
    said = "config: selection 'external' is set by --weights, not by a config"
    assert str(caught.value) == f"--set 'selection=external': {said}"
    with pytest.raises(ConfigError, match=r"train\.epochs: .* \(found 'five'\)$"):
        load_config(TABLE1, overrides=["train.epochs=five"])


def test_the_blame_is_on_the_override_that_is_wrong(tmp_path):
    with pytest.raises(ConfigError, match=r"^--set 'train.epochs=five': train.epochs: "):
        load_config(TABLE1, overrides=["seeds=[0, 1]", "train.epochs=five"])
    together = ["train.plateau=null", "train.cosine={}", "train.step_decay={factor: 0.5, every: 1}"]
    blamed = ", ".join(f"--set {text!r}" for text in together[1:])
    with pytest.raises(ConfigError, match=f"^{re.escape(blamed)}: .*at most one"):
        load_config(TABLE1, overrides=together)
    file = tmp_path / "x.yaml"
    file.write_text(yaml.safe_dump(FILE | {"name": "x", "selection": "none"}))
    with pytest.raises(ConfigError, match=r"^.*x\.yaml: selection: "):
        load_config(file, overrides=["train.epochs=5"])
    assert load_config(file, overrides=["selection=last_epoch"]).selection == "last_epoch"


def test_overrides_come_after_the_profile():
    config = load_config(TABLE1, profile="quick", overrides=["train.epochs=3"])
    assert config.train.epochs == 3
    assert config.inputs["clips"].size == 30


def test_overrides_reach_into_lists_and_absent_blocks():
    tree = {"stages": [{"name": "a"}]}
    assign(tree, "stages.0.train.epochs", 3, "x")
    assign(tree, "data.policies.face", "centre", "x")
    assert tree["stages"] == [{"name": "a", "train": {"epochs": 3}}]
    assert tree["data"] == {"policies": {"face": "centre"}}
    for wrong in ("stages.1.name", "stages.x", "stages.-1.name", "stages.\u00b2"):
        with pytest.raises(ConfigError, match="no place in a list of 1"):
            assign(tree, wrong, 1, "x")


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("data.labels={samm: cde3_samm}", "one scheme for each"),
        ("data.database=[samm, samm]", "different databases"),
        ("inputs.clips.resize_to=80", "flow_image"),
        ("train.cosine={}", "at most one"),
        ("stages.0.sources=[]", "at least 1 item"),
        ("stages.0.sources.0.frame=2", "did you mean 'frames'"),
    ],
)
def test_contradictions_are_refused(add, override, complaint):
    with pytest.raises(ConfigError, match=complaint):
        load_experiments(
            "paper/table1", overrides=["train.plateau={factor: 0.5, patience: 2}", override]
        )


#: What keys and values of overrides are made of, and what YAML gives a meaning to.
keys = st.sampled_from(
    [
        *("train", "epochs", "rows", "0", "1", "-1", "data", "inputs", "clips", "size", "profiles"),
        *("method", "methods", "paper", "arguments", "x", "stages", "name", "seeds", "baselines"),
        *("", " ", "\u00b2", "\u0661", "9" * 5000),
    ]
)
pieces = st.sampled_from(
    [
        *("[", "]", "{", "}", ": ", ", ", "&a ", "*a", "''", "=", "%", "\0", "\n- ", "? ", "<<: "),
        *("!!python/object:os.system ", "!!int", "!!timestamp ", "!!binary ", "\ud800"),
        *("1", "x", "2001-99-99", ".nan", ".inf", "1e999", "0x", "1:9", "9" * 5000, "null", "true"),
    ]
)
overrides = st.builds(
    "{}={}".format,
    st.lists(keys, max_size=4).map(".".join),
    st.lists(pieces, max_size=6).map("".join),
)


@given(st.lists(overrides | st.text(), min_size=1, max_size=3))
def test_any_override_is_taken_or_refused(texts):
    try:
        config = load_config(TABLE1, profile="quick", overrides=texts)
    except ConfigError as error:
        assert len(str(error)) < 4000
        return
    assert Experiment.model_validate(config.model_dump(mode="json")).digest() == config.digest()


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
plain = st.recursive(
    leaves | st.dates(),
    lambda more: st.lists(more) | st.dictionaries(st.text(), more),
    max_leaves=5,
)


@given(st.dictionaries(st.text("abc.0_"), plain, max_size=3))
def test_overrides_are_yaml(values):
    dumped = {key: yaml.safe_dump(value, allow_unicode=True) for key, value in values.items()}
    assert parse_overrides([f"{key}={text}" for key, text in dumped.items()]) == {
        key: yaml.safe_load(text) for key, text in dumped.items()
    }


@given(st.lists(st.text() | st.sampled_from(["apex=spot", "sizes=resize", "face=x", "apex=apex"])))
def test_any_policies_are_taken_or_refused(texts):
    try:
        policies = parse_policies(texts)
    except ConfigError as error:
        assert len(str(error)) < 4000
        return
    assert all("=" in text for text in texts)
    assert isinstance(policies, Policies)


@pytest.mark.parametrize("where", ["file", "override"])
@pytest.mark.parametrize("depth", [9, None])
def test_aliases_that_grow_without_end_are_refused_at_once(tmp_path, where, depth):
    """A few hundred bytes are a thousand million values once they are written into a manifest."""
    more = [f"&a{n + 1} [{', '.join([f'*a{n}'] * 10)}]" for n in range(depth or 0)]
    bomb = f"[{', '.join(['&a0 [x]', *more])}]" if depth else "&a0 [*a0]"
    path, texts = TABLE1, [f"rows.0.arguments={{width: {bomb}}}"]
    if where == "file":
        path, texts = tmp_path / "x.yaml", []
        row = {"name": "own", "method": "resnet10", "arguments": {"width": "BOMB"}}
        text = yaml.safe_dump(FILE | {"name": "x", "rows": [row]}, sort_keys=False)
        path.write_text(text.replace("BOMB", bomb))
    started = time.monotonic()
    with pytest.raises(ConfigError, match=f"more than {MAX_VALUES:,} values"):
        load_config(path, overrides=texts)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "value", ["2001-99-99", "!!timestamp x", "!!int ''", "[" * 1000, "9" * 5000, "{a: 2001-99-99}"]
)
def test_values_that_yaml_itself_trips_over(tmp_path, value):
    """Each raises an error of its own in the parser."""
    with pytest.raises(ConfigError, match="not YAML"):
        load_config(TABLE1, overrides=[f"train.epochs={value}"])
    (tmp_path / "x.yaml").write_text(f"name: {value}")
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path / "x.yaml"))):
        load_config(tmp_path / "x.yaml")
