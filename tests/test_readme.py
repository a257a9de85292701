"""What the README shows works as it stands there."""

import re
import shutil
from pathlib import Path

import pytest

from mer_keras.cli.main import app
from mer_keras.config.files import load_experiments
from mer_keras.terms import DataKind

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


def block(language, containing):
    (found,) = [
        code for code in re.findall(rf"```{language}\n(.*?)```", TEXT, re.S) if containing in code
    ]
    return found


def test_the_experiment_is_a_file_that_loads(tmp_path, monkeypatch):
    folder = tmp_path / "experiments/shallow_convlstm"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "experiments/shallow_convlstm/table1.yaml", folder)
    (folder / "smic.yaml").write_text(block("yaml", "shallow_convlstm/smic"))
    monkeypatch.chdir(tmp_path)
    (config,) = load_experiments("shallow_convlstm/smic")
    assert config.data.database == "smic"
    assert config.protocol.name == "loso"
    assert [row.name for row in config.rows] == ["ConvLSTM"]


def test_the_network_is_a_function_that_builds():
    keras = pytest.importorskip("keras")
    names = {"keras": keras}
    exec(block("python", "def build"), names)
    assert names["build"]((9, 32, 32, 1), 3).output_shape == (None, 3)


def test_the_list_of_clips_is_read(places):
    from mer_keras.databases import registry
    from mer_keras.databases.readers import manifest

    table = block("", "sample,subject,path")
    rows = [line.split(",") for line in table.strip().splitlines()]
    folder = places / "lab"
    (folder / "frames/a1").mkdir(parents=True)
    import cv2
    import numpy as np

    for number in range(3, 12):
        cv2.imwrite(str(folder / f"frames/a1/{number}.png"), np.zeros((8, 8), np.uint8))
    (folder / "clips.csv").write_text("\n".join(",".join(row) for row in rows[:2]) + "\n")
    database = manifest.database("lab", folder, "clips.csv")
    samples = registry.finish(database.reader(folder), DataKind.LICENSED)
    assert list(samples.table["emotion"]) == ["happiness"]


def test_every_command_it_names_exists():
    import typer

    group = typer.main.get_command(app)
    for words in set(re.findall(r"mer-keras ([a-z-]+(?: [a-z]+)?)", TEXT)):
        first, _, second = words.partition(" ")
        assert first in group.commands, words
        command = group.commands[first]
        if second and hasattr(command, "commands") and second not in command.commands:
            pytest.fail(f"mer-keras {words} is not there")


def test_every_file_it_links_to_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_every_make_target_it_names_exists():
    known = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"make ([a-z][a-z0-9-]+)", TEXT)) <= known | {"library"}


def test_how_fast_is_what_the_stored_benchmark_says():
    import json

    file = ROOT / "results/published/bench/bench.json"
    rows = json.loads(file.read_text())["measured"]
    paragraph = " ".join(TEXT.split("### How fast")[1].split("###")[0].split())

    def row(case, work, way=""):
        (found,) = [
            one
            for one in rows
            if (one["case"], one["work"][-len(work) :]) == (case, work) and way in one["way"]
        ]
        return found

    epoch = row("loso/torch", "an epoch", "mer_keras")
    plain, own = (
        row("loso/torch", "800 epochs, extrapolated", way)["median"] / 60
        for way in ("PyTorch", "mer_keras")
    )
    thirty = row("loso/torch", ", 30 epochs", "mer_keras")["ratio"]
    setup = row("loso/torch", "set-up", "mer_keras")["median"]
    keras = row("loso/keras", "an epoch", "mer_keras")["ratio"]
    short = row("loso/keras", ", 2 epochs", "mer_keras")["ratio"]
    quality = [row("loso/torch", ", 30 epochs", way)["facts"] for way in ("mer_keras", "PyTorch")]
    ours, torch = (f"{one['least']:.3f} to {one['largest']:.3f}" for one in quality)
    shares = {
        one["work"].split(", ")[1]: 100 * one["facts"]["share of matrix products"]
        for one in rows
        if one["case"].startswith("step/") and one["way"] == "tensorflow"
    }
    both = {f"{shares[name]:.0f}" for name in ("shallow_attention_convlstm", "shallow_convlstm")}
    lstms = " to ".join(sorted(both))
    volumes = min(shares["resnet3d_18"], shares["meranet"])
    # each network goes one way: the small one without fit
    waiting = [
        100 * one["facts"]["share waiting for input"]
        for one in rows
        if one["case"].startswith("input/")
        and (one["way"] == "AllFolds") == (one["case"] == "input/ststnet")
    ]
    for said in (
        f"{epoch['median']:.1f} s an epoch of all folds, {epoch['ratio']:.1f} times",
        f"{own:.0f} minutes against {plain:.0f}",
        f"30 epochs {thirty:.1f} times as fast, since {setup:.0f} s are set-up",
        f"{keras:.1f} times as fast as plain Keras",
        f"2 epochs with set-up: {short:.0f} times",
        f"{ours}, PyTorch's {torch}",
        f"3-D networks reach {volumes:.0f} % and more",
        f"ConvLSTMs {lstms} %",
        f"dense network {shares['dense_mixed_attention']:.0f} %",
        f"takes {min(waiting):.1f} to {max(waiting):.1f} % of an epoch",
    ):
        assert said in paragraph, said
    # the first of each network's backends is TensorFlow
    steps = [one for one in rows if one["case"].startswith("step/")]
    assert len(steps) == 33 and max(one["ratio"] for one in steps) == 1
