"""A wheel works as the clone does, wherever it is installed (fault 74)."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What builds a wheel, beside the package and the experiments.
BUILD_FILES = ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")


def data_files(folder):
    """Files of a folder that are no modules, by their path in it."""
    return {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc") and "__pycache__" not in file.parts
    }


def test_fault_74_every_data_file_of_the_package_is_declared():
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    patterns = settings["options.package_data"]["mer_keras"].split()
    package = ROOT / "mer_keras"
    declared = {str(f.relative_to(package)) for pattern in patterns for f in package.glob(pattern)}
    assert data_files(package) <= declared
    for pattern in patterns:
        assert list(package.glob(pattern)), f"{pattern} matches nothing"


def test_fault_74_experiments_are_files_that_travel():
    assert {Path(file).suffix for file in data_files(ROOT / "experiments")} == {".yaml", ".csv"}
    assert not (ROOT / "mer_keras/experiments").exists()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel that is built of a copy of this tree, without a network, unpacked as pip does."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    tree.mkdir()
    for name in BUILD_FILES:
        shutil.copy(ROOT / name, tree)
    for name in ("mer_keras", "experiments"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    code = "import setuptools.build_meta as b; print(b.build_wheel('.'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tree / done.stdout.splitlines()[-1]) as wheel:
        wheel.extractall(folder / "installed")
    return folder / "installed"


@pytest.fixture(scope="module")
def tree(installed):
    """The copy of which the wheel was built."""
    return installed.with_name("tree")


@pytest.fixture
def call(installed, tmp_path):
    """Run the command line of the wheel in an empty folder."""

    def run(*arguments):
        environment = os.environ | {"PYTHONPATH": str(installed), "MER_CACHE": str(tmp_path / "c")}
        for name in ("MER_RESULTS", "MER_DATA"):
            environment.pop(name, None)
        return subprocess.run(
            [sys.executable, "-m", "mer_keras.cli", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
        )

    return run


def test_fault_74_the_wheel_has_all_files_of_the_clone(installed, tree):
    package = installed / "mer_keras"
    shipped = {file for file in data_files(package) if not file.startswith("experiments/")}
    assert shipped == data_files(tree / "mer_keras")
    modules = {f.relative_to(tree / "mer_keras") for f in (tree / "mer_keras").rglob("*.py")}
    assert {f.relative_to(package) for f in package.rglob("*.py")} == modules
    experiments = data_files(tree / "experiments")
    assert len(experiments) > 50 and data_files(package / "experiments") == experiments
    for file in experiments:
        text = (package / "experiments" / file).read_bytes()
        assert text == (tree / "experiments" / file).read_bytes()
    # Nothing else comes to stand among the other packages.
    names = {path.name for path in installed.iterdir() if path.suffix != ".dist-info"}
    assert names == {"mer_keras"}


def test_fault_74_the_wheel_lists_and_audits_in_an_empty_folder(call, installed, tmp_path):
    names = json.loads(call("list", "experiments", "--json").stdout)
    assert {e["name"] for e in names} >= {"shallow_convlstm/table1", "ststnet/megc2019"}
    assert not any(entry["problem"] for entry in names)
    audited = call("audit", "meranet")
    assert audited.returncode == 0 and "Table 1" in audited.stdout
    # A file of the working folder stands before the shipped one, as in a clone.
    folder = tmp_path / "experiments/mine"
    folder.mkdir(parents=True)
    shutil.copy(installed / "mer_keras/experiments/ststnet/megc2019.yaml", folder / "mine.yaml")
    assert "mine/mine" in call("list").stdout


@pytest.mark.long
@pytest.mark.timeout(900)
def test_fault_74_the_wheel_plans_runs_and_reports(call, tmp_path):
    small = ("data.synthetic_clips=24", "baselines=[majority]")
    overrides = [text for override in small for text in ("--set", override)]
    chosen = ("shallow_convlstm/table1", "--profile", "smoke", "--data", "synthetic", *overrides)
    planned = json.loads(call("plan", *chosen, "--json").stdout)
    assert planned[0]["experiment"] == "shallow_convlstm/table1"
    ran = call("run", *chosen, "--report", "report")
    assert ran.returncode == 0, ran.stderr
    (manifest,) = (tmp_path / "results").glob("*/manifest.json")
    assert json.loads(manifest.read_text())["git"] == "unknown"
    assert "Shukla" in (tmp_path / "report/report.html").read_text()
    again = call("report", "shallow_convlstm/table1", "--out", "again")
    assert again.returncode == 0 and (tmp_path / "again/report.html").is_file()
