"""A method that nobody has seen becomes a row of a published table, with nothing changed elsewhere.

A feature of five lines and a network of two inputs lie in a module of the working folder. A line
of a registry names each, and a YAML file of ``experiments/methods`` describes each. Two rows of a
paper's table then run them: killed and resumed, reported, compared, verified.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("keras")
from mer_keras.cli.stored import report_on
from mer_keras.config.files import load_experiments
from mer_keras.errors import ConfigError
from mer_keras.features.registry import FEATURES
from mer_keras.models.registry import MODELS
from mer_keras.report.comparison import compare
from mer_keras.runs.context import compose
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.run import run_experiment
from mer_keras.runs.units import units_of
from mer_keras.runs.verify import verify_fold

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TABLE = "shallow_attention/table1"
OWN_METHODS = '''
import keras
import numpy as np

from mer_keras.models.registry import ModelSpec


def brightness(clip, rows=3):
    """Mean of each frame and band of rows: five lines."""
    bands = np.array_split(clip, rows, axis=1)
    means = [band.mean(axis=(1, 2, 3)) for band in bands]
    return np.concatenate(means).astype("float32")


def build_two_streams(input_shape, classes, *, filters=2):
    """A frame of the clip and its optical flow, each with a convolution of its own."""
    inputs = [keras.Input(shape) for shape in input_shape]
    streams = [inputs[0][:, input_shape[0][0] // 2], inputs[1]]
    pooled = []
    for number, stream in enumerate(streams):
        maps = keras.layers.Conv2D(filters, 5, strides=3, name=f"convolution_{number}")(stream)
        pooled.append(keras.layers.GlobalAveragePooling2D(name=f"pool_{number}")(maps))
    joined = keras.layers.Concatenate(name="streams")(pooled)
    probabilities = keras.layers.Dense(classes, activation="softmax", name="classes")(joined)
    return keras.Model(inputs, probabilities, name="two_streams")


TWO_STREAMS = ModelSpec(
    name="two_streams", title="two streams", paper="nowhere",
    builder="own_methods:build_two_streams", input_shape=((13, 90, 90, 1), (28, 28, 1)),
    classes=5, published_parameters=None, built_parameters=129, trainable_parameters=129,
    multiply_accumulates=80_000, activations=3_000, leaves_open="", inputs=("clips", "motion"),
)
'''
#: The one line for each.
REGISTER = """
FEATURES["brightness"] = "own_methods:brightness"
MODELS["two_streams"] = own_methods.TWO_STREAMS
"""
#: The one file for each: one in the place of a description of the package, one with a new name.
YAML = {
    "lbp_top": """
        title: brightness of bands
        classical:
          feature: brightness
          arguments: {rows: 4}
          classifier: linear_svm
          choices: {C: [0.01, 1.0]}
    """,
    "two_streams": """
        title: two streams
        network: {model: two_streams, arguments: {filters: 3}}
        train: {epochs: 3, plateau: null, early_stopping: null, augmentation: null}
    """,
}
CLASSICAL, NETWORK = "lbp-top", "tlcnn"
#: MDMO and the other networks are left out: they take long.
SETTINGS = [
    *(f"rows.{number}.runs=false" for number in (1, 2, 3, 5, 6, 7)),
    "rows.4.method=two_streams",
    "data.synthetic_clips=60",
    "baselines=[majority, shuffled_labels]",
]
UNITS = 8


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A working folder with the module, the two files and the two lines."""
    folder = tmp_path_factory.mktemp("workplace")
    (folder / "own_methods.py").write_text(OWN_METHODS)
    (folder / "experiments/methods").mkdir(parents=True)
    for name, text in YAML.items():
        (folder / f"experiments/methods/{name}.yaml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        for name in ("data", "cache", "results"):
            patch.setenv(f"MER_{name.upper()}", str(folder / name))
        for registry in (FEATURES, MODELS):
            for name in ("brightness", "two_streams"):
                patch.setitem(registry, name, None)
                del registry[name]
        import own_methods

        exec(REGISTER, {"FEATURES": FEATURES, "MODELS": MODELS, "own_methods": own_methods})
        yield folder


def load(*overrides):
    (config,) = load_experiments(TABLE, profile="smoke", overrides=[*SETTINGS, *overrides])
    return config


@pytest.fixture(scope="module")
def killed(workplace):
    """A run that was killed in its middle: what it had stored by then."""
    program = (
        "import own_methods\n"
        "from mer_keras.features.registry import FEATURES\n"
        "from mer_keras.models.registry import MODELS\n"
        f"{REGISTER}\n"
        "from mer_keras.cli.main import main; main()"
    )
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", program, "run", TABLE),
            *("--profile", "smoke", "--data", "synthetic", *settings),
        ],
        env={
            **os.environ,
            "MER_RESULTS": str(workplace / "killed"),
            "PYTHONPATH": os.pathsep.join([str(workplace), str(Path(__file__).parents[2])]),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while len(stored(workplace / "killed")) < 3 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    output, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL, output
    return stored(workplace / "killed")


def stored(results):
    """The files of finished units, byte for byte but for the time that they took."""
    files = {}
    for record in sorted(results.glob("*/predictions/**/*.json")):
        name = str(record.relative_to(results))
        text = record.read_text()
        if text and not name.endswith(".failed.json"):
            files[name] = {**json.loads(text), "seconds": 0}
            files[name] |= {"predictions": record.with_suffix(".parquet").read_bytes()}
    return files


@pytest.fixture(scope="module")
def runs(workplace, killed):
    """The killed run, resumed in this process, and another that nothing disturbed."""
    folders = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("killed", "results"):
            patch.setenv("MER_RESULTS", str(workplace / name))
            folders[name] = run_experiment(load(), profile="smoke", data="synthetic")
    return SimpleNamespace(resumed=folders["killed"], calm=folders["results"])


def test_two_rows_run_them(workplace):
    rows = {plan.key: plan for plan in load().plans}
    assert list(rows) == [CLASSICAL, NETWORK, "baseline-majority", "baseline-shuffled-labels"]
    assert rows[NETWORK].recipe.epochs == 3
    assert load().train.epochs == 1


def test_a_killed_run_goes_on_to_the_same_bytes(workplace, killed, runs):
    assert 0 < len(killed) < UNITS
    resumed, calm = stored(workplace / "killed"), stored(workplace / "results")
    assert len(resumed) == UNITS
    assert {name: resumed[name] for name in killed} == killed
    assert resumed == calm


def test_what_was_chosen_and_counted_is_stored(runs):
    units = units_of(runs.calm.manifest(), runs.calm.folds())
    for unit in units[CLASSICAL]:
        record = runs.calm.record(unit)
        assert record["chosen"]["C"] in (0.01, 1.0)
        assert record["parameters"] is None
    for unit in units[NETWORK]:
        record = runs.calm.record(unit)
        assert record["parameters"] == 2 * (25 * 3 + 3) + (6 + 1) * 5
        assert len(record["history"]["loss"]) == 3


@pytest.mark.parametrize("row", [CLASSICAL, NETWORK, "baseline-shuffled-labels"])
def test_it_is_verified(runs, row):
    assert isinstance(runs.resumed, RunFolder)
    assert verify_fold(runs.resumed, row=row).identical


def test_it_is_reported(workplace, runs):
    report_on([TABLE], workplace / "report")
    text = (workplace / "report/report.md").read_text()
    table = text.split("### Pipeline check")[1].split("####")[0]
    rows = {line.split("|")[1].strip(): line for line in table.splitlines() if "| " in line}
    for name in ("LBP-TOP", "TLCNN", "majority class (baseline)"):
        assert re.search(r"\d\d\.\d\d \[", rows[name]), f"{name} has no result"
    assert "191" in rows["TLCNN"]


def test_it_is_compared(runs):
    comparison = compare(f"{runs.calm.path}:{CLASSICAL}", f"{runs.calm.path}:{NETWORK}")
    predictions = {
        key: runs.calm.predictions(units).set_index("sample_id").sort_index()
        for key, units in units_of(runs.calm.manifest(), runs.calm.folds()).items()
    }
    right = [
        (predictions[key]["predicted"] == predictions[key]["label"]).to_numpy()
        for key in (CLASSICAL, NETWORK)
    ]
    assert comparison["mcnemar"]["only_first"] == np.sum(right[0] & ~right[1])
    assert comparison["mcnemar"]["only_second"] == np.sum(~right[0] & right[1])


def test_a_network_of_two_inputs_is_not_pretrained(workplace):
    stage = (
        "stages=[{name: faces, sources: [{database: samm, labels: samm3}], "
        "train: {optimizer: {learning_rate: 0.1}, epochs: 1, batch_size: 8}}]"
    )
    expected = (
        r"stage 'faces': row 'TLCNN' reads the inputs clips, motion; only networks with one input "
        "can be pretrained"
    )
    with pytest.raises(ConfigError, match=expected):
        compose(load(stage), "smoke", "synthetic")


def test_an_input_that_the_table_lacks_is_named(workplace):
    with pytest.raises(ConfigError, match="row 'TLCNN' reads input 'motion'"):
        compose(load("inputs.motion=null", "inputs={clips: {kind: frames}}"), "smoke", "synthetic")
