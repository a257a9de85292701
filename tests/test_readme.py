"""What the README and the pages of docs/ show works as it stands there."""

import ast
import json
import re
import shutil
import sys
import types
from pathlib import Path

import pytest

from mer_keras.arrays import each_shape
from mer_keras.cli.main import app
from mer_keras.config.files import load_experiments
from mer_keras.config.yaml_text import parse_yaml
from mer_keras.methods.registry import check_methods
from mer_keras.models.registry import MODELS, get_spec
from mer_keras.models.specs import ModelSpec
from mer_keras.terms import DataKind
from tests.config.small import experiment

ROOT = Path(__file__).parents[1]
#: The README and every page, by their path.
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))
}
TEXT = "\n".join(PAGES.values())


def block(language, containing):
    blocks = re.findall(rf"```{language}\n(.*?)```", TEXT, re.S)
    (code,) = [code for code in blocks if containing in code]
    return code


def test_the_experiment_is_a_file_that_loads(tmp_path, monkeypatch):
    folder = tmp_path / "experiments/shallow_convlstm"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "experiments/shallow_convlstm/table1.yaml", folder)
    (folder / "smic.yaml").write_text(block("yaml", "shallow_convlstm/smic"))
    monkeypatch.chdir(tmp_path)
    protocols = {"full": "loso", "quick": "subject_kfold", "smoke": "subject_kfold"}
    for profile, protocol in protocols.items():
        (config,) = load_experiments("shallow_convlstm/smic", profile=profile)
        assert config.data.database == "smic"
        assert config.protocol.name == protocol
        assert [row.name for row in config.rows] == ["ConvLSTM"]


@pytest.fixture
def with_changes(tmp_path, monkeypatch):
    """The worked example of a method: its module, its line, its description and its table."""
    from mer_keras.features import registry

    module = types.ModuleType("mer_keras.features.changes")
    exec(block("python", "def change_histogram"), vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    line = block("python", '"change_histogram": ')
    for name, function in ast.literal_eval(f"{{{line.strip()}}}").items():
        monkeypatch.setitem(registry.FEATURES, name, function)
    experiments = tmp_path / "experiments"
    for folder in ("methods", "shallow_convlstm"):
        (experiments / folder).mkdir(parents=True)
    shutil.copy(ROOT / "experiments/shallow_convlstm/table1.yaml", experiments / "shallow_convlstm")
    (experiments / "methods/change_histogram.yaml").write_text(
        block("yaml", "title: Histogram of changes")
    )
    (experiments / "shallow_convlstm/with_changes.yaml").write_text(
        block("yaml", "shallow_convlstm/with_changes")
    )
    monkeypatch.chdir(tmp_path)
    return "shallow_convlstm/with_changes"


def test_the_method_is_listed_and_is_a_row_of_a_table(with_changes):
    from mer_keras.methods.registry import describe_method, known_methods

    assert "change_histogram" in known_methods() and describe_method("change_histogram").runs
    (config,) = load_experiments(with_changes)
    first, second, network = (plan for plan in config.plans if plan.role == "row")
    assert (first.method, second.config.classical.arguments) == ("change_histogram", {"bins": 64})
    assert (network.recipe.epochs, first.recipe.epochs) == (20, 50)


def test_the_methods_feature_counts_changes(with_changes):
    import numpy as np

    from mer_keras.features.registry import extract

    still, flicker = np.zeros((5, 4, 4, 1), "float32"), np.zeros((5, 4, 4, 1), "float32")
    flicker[1::2] = 1
    vectors = extract("change_histogram", np.stack([still, flicker]), {"bins": 4})
    assert vectors.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1]]


@pytest.mark.slow
def test_the_method_runs_is_verified_and_reported(with_changes, places, monkeypatch, capsys):
    small = ("data.synthetic_clips=12", "inputs.clips.size=12", "baselines=[]", "rows.2.runs=false")
    overrides = [text for override in small for text in ("--set", override)]
    report = places / "report"

    def call(*arguments):
        app(arguments, standalone_mode=False)
        return capsys.readouterr().out

    output = call(
        *("run", with_changes, "--profile", "quick", "--data", "synthetic", *overrides),
        *("--report", str(report)),
    )
    folder = re.search(rf"^{with_changes}: (/.*)$", output, re.MULTILINE)[1]
    assert json.loads(call("verify", folder, "--json"))["identical"]
    text = (report / "report.html").read_text()
    assert "Histogram of changes" in text and "The same with 64 bins" in text
    from mer_keras.runs.folder import RunFolder
    from mer_keras.runs.units import units_of

    run = RunFolder(Path(folder))
    units = units_of(run.manifest(), run.folds())["histogram-of-changes"]
    assert {run.record(unit)["chosen"]["C"] for unit in units} <= {0.01, 0.1, 1.0}


def test_the_network_is_a_function_that_builds():
    pytest.importorskip("keras")
    names = {}
    exec(block("python", "def build"), names)
    assert names["build"]((9, 32, 32, 1), 3).output_shape == (None, 3)


@pytest.mark.parametrize("name", ["small_network", "two_streams"])
def test_the_entries_of_networks_are_read_and_are_rows_of_a_table(monkeypatch, name):
    ((own, facts),) = parse_yaml(block("yaml", f"{name}:")).items()
    spec = ModelSpec.model_validate({"name": own, **facts})
    monkeypatch.setitem(MODELS, name, spec)
    tree = parse_yaml(block("yaml", "name: Two streams"))
    row = {**tree["rows"][0], "method": name, "input": list(spec.inputs)}
    check_methods(experiment(inputs=tree["inputs"], rows=[row]))
    assert len(each_shape(spec.input_shape)) == len(spec.inputs)


def test_the_list_of_clips_is_read(places):
    from mer_keras.databases import registry
    from mer_keras.databases.readers import manifest

    table = block("csv", "sample,subject,path")
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


def test_every_network_and_every_experiments_folder_is_on_its_page():
    from mer_keras.config.files import experiment_names

    networks = re.findall(r"`(_?[a-z0-9_]+)`", PAGES["docs/networks.md"])
    for name in MODELS:
        assert any(name == known or name.endswith(known) for known in networks), name
    for folder in {name.partition("/")[0] for name in experiment_names()}:
        assert f"| `{folder}/" in PAGES["docs/reproduce.md"], folder


def test_the_readme_is_short():
    assert len(PAGES["README.md"].splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page):
    folder = (ROOT / page).parent
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", PAGES[page]):
        if "://" in target:
            continue
        path = (folder / target).resolve() if target else ROOT / page
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
            assert anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


def test_every_page_is_in_the_navigation_and_in_the_readme():
    navigation = (ROOT / "mkdocs.yml").read_text()
    for page in PAGES:
        if page != "README.md":
            assert re.search(rf": {Path(page).name}$", navigation, re.M), page
            assert f"]({page}" in PAGES["README.md"], page


def test_the_table_of_rooms_lists_all_of_them_in_the_order_of_their_imports():
    from tests.architecture.test_architecture import LEVEL, MODULES, imported_rooms, room_of

    text = (ROOT / "CONTRIBUTING.md").read_text().split("| --- | --- | --- |")[1].split("\n\n")[0]
    lines = [re.findall(r"`([a-z_/]+)`", row.split("|")[1]) for row in text.strip().splitlines()]
    line_of = {room: number for number, rooms in enumerate(lines) for room in rooms}
    assert {room for room in line_of if "/" not in room} == set(LEVEL)
    for module in MODULES:
        if room_of(module) == "__init__":
            continue
        for room in imported_rooms(module):
            assert line_of[room] <= line_of[room_of(module)], (module, room)


def test_every_make_target_it_names_exists():
    known = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z0-9-]+)", TEXT, re.M))
    assert "reproduce-table1" in named
    assert named <= known


def test_how_fast_networks_of_flow_are_is_what_the_stored_benchmarks_say():
    paragraph = " ".join(PAGES["docs/machines.md"].split("## How fast")[1].split("## ")[0].split())
    ratios, shares = {}, {}
    for name in ("large_networks", "flow_networks"):
        file = ROOT / f"results/published/bench/{name}.json"
        for row in json.loads(file.read_text())["measured"]:
            network = re.search(r"htnet|causalnet|off_apexnet|rcn", row["work"])[0]
            is_mixed = row["way"].endswith("mixed_bfloat16")
            if row["way"].startswith("mer_keras") and re.search("clips$|an epoch$", row["work"]):
                ratios[network, is_mixed] = f"{row['ratio']:.1f}"
                shares[network, is_mixed] = row["facts"].get("share of matrix products")
    # Twenty of the thirty-six products under a 3x3 kernel on a map of 2x2 are with its border.
    left_out = {"htnet": 20 * 512 * 1024, "causalnet": 2 * 20 * 512 * 1024}
    counted = [f"{100 * shares[name, False]:.0f}" for name in left_out]
    computed = [
        f"{100 * shares[name, False] * (1 - border / get_spec(name).multiply_accumulates):.0f}"
        for name, border in left_out.items()
    ]
    for sentence in (
        f"{ratios['htnet', False]} and {ratios['causalnet', False]} times as fast",
        f"They reach {counted[0]} and {counted[1]} % of the rate",
        f"and {computed[0]} and {computed[1]} % without those",
        f"{ratios['off_apexnet', False]} and {ratios['rcn', False]} times as fast",
        f"{ratios['htnet', True]} times for HTNet, {ratios['off_apexnet', True]} for OFF-ApexNet",
        f"and {ratios['rcn', True]} for RCN-A",
    ):
        assert sentence in paragraph


def test_how_fast_is_what_the_stored_benchmark_says():
    file = ROOT / "results/published/bench/bench.json"
    rows = json.loads(file.read_text())["measured"]
    paragraph = " ".join(PAGES["docs/machines.md"].split("## How fast")[1].split("## ")[0].split())

    def row(case, work, way=""):
        (measurement,) = [
            row
            for row in rows
            if row["case"] == case and row["work"].endswith(work) and way in row["way"]
        ]
        return measurement

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
    ours, torch = (f"{uf1['least']:.3f} to {uf1['largest']:.3f}" for uf1 in quality)
    shares = {
        step["work"].split(", ")[1]: 100 * step["facts"]["share of matrix products"]
        for step in rows
        if step["case"].startswith("step/") and step["way"] == "tensorflow"
    }
    both = {f"{shares[name]:.0f}" for name in ("shallow_attention_convlstm", "shallow_convlstm")}
    lstms = " to ".join(sorted(both))
    volumes = min(shares["resnet3d_18"], shares["meranet"])
    # A run trains each network in one of the two ways: the small one without fit.
    waiting = [
        100 * epochs["facts"]["share waiting for input"]
        for epochs in rows
        if epochs["case"].startswith("input/")
        and (epochs["way"] == "AllFolds") == (epochs["case"] == "input/ststnet")
    ]
    for sentence in (
        f"{epoch['median']:.1f} s an epoch of all folds, {epoch['ratio']:.1f} times",
        f"{own:.0f} minutes against {plain:.0f}",
        f"30 epochs {thirty:.1f} times as fast, since {setup:.0f} s are set-up",
        f"{keras:.1f} times as fast as plain Keras",
        f"2 epochs with set-up: {short:.0f} times",
        f"{ours}, PyTorch's {torch}",
        f"3-D ResNets reach {volumes:.0f} % and more",
        f"ConvLSTMs {lstms} %",
        f"dense network {shares['dense_mixed_attention']:.0f} %",
        f"takes {min(waiting):.1f} to {max(waiting):.1f} % of an epoch",
    ):
        assert sentence in paragraph, sentence
    # Ratios are to TensorFlow, the first of each network's backends.
    steps = [row for row in rows if row["case"].startswith("step/")]
    assert len(steps) == 33 and max(step["ratio"] for step in steps) == 1


def test_the_citation_names_this_version_and_papers_as_the_experiments_do():
    import yaml

    from mer_keras import __version__
    from mer_keras.config.files import experiment_names

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == __version__
    papers = [load_experiments(name)[0].paper for name in experiment_names()]
    cited = {(paper["title"], paper["year"]) for paper in citation["references"]}
    assert len(cited) == 6 and cited <= {(paper.title, paper.year) for paper in papers if paper}
