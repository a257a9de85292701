"""The command line as a user meets it: help, exit codes, messages."""

import json
import subprocess
import sys
import time

import pytest

from mer_keras.cli import main as cli
from mer_keras.models.registry import MODELS
from mer_keras.models.specs import ModelSpec
from tests.cli.small import SMALL


def in_a_process(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "mer_keras.cli", *arguments], capture_output=True, text=True
    )


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command line in this process, which imports TensorFlow only once."""

    def run(*arguments, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["mer-keras", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return subprocess.CompletedProcess(arguments, end.value.code or 0, *capsys.readouterr())

    return run


VERBS = [
    "doctor",
    "run",
    "resume",
    "verify",
    "plan",
    "status",
    "report",
    "overview",
    "track",
    "compare",
    "audit",
    "score",
    "leaderboard",
    "contribute",
    "guess",
    "explain",
    "train",
    "bundle show",
    "bundle check",
    "bundle schema",
    "list",
    "list experiments",
    "list methods",
    "list databases",
    "list labels",
    "list profiles",
    "list keys",
    "models",
    "models show",
    "models card",
    "predict",
    "video check",
    "spot",
    "annotate",
    "demo",
    "export",
    "data list",
    "data howto",
    "data card",
    "data check",
    "data synth",
    "data add",
    "data remove",
    "data cache",
]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(call, verb):
    done = call(*verb.split(), "--help")
    assert done.returncode == 0
    assert "Example: mer-keras " + verb in " ".join(done.stdout.split())


def test_help_is_quick_and_needs_no_tensorflow():
    code = (
        "import sys; sys.argv = ['mer-keras', '--help']\n"
        "from mer_keras.cli import main as cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'sklearn', 'cv2', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    assert "Usage" in done.stdout
    # The bound is generous: help takes some 0.3 s, importing TensorFlow takes 5.
    assert time.perf_counter() - started < 4


def test_models_as_json(call):
    done = call("models", "--json")
    entries = json.loads(done.stdout)
    assert [entry["name"] for entry in entries] == list(MODELS)
    ststnet = next(entry for entry in entries if entry["name"] == "ststnet")
    assert ststnet["trainable_parameters"] == 1683
    assert ststnet["input_shape"] == [28, 28, 3]
    assert {"published_parameters", "built_parameters", "leaves_open"} <= set(ststnet)


def test_a_network_without_counts_is_listed(call, monkeypatch):
    facts = {"name": "own", "title": "own", "paper": "nobody", "builder": "x:y", "classes": 3}
    monkeypatch.setitem(MODELS, "own", ModelSpec(**facts, input_shape=(4, 4, 1)))
    lines = call("models").stdout.splitlines()
    assert ["own", "4x4x1", "-", "-", "-", "+", "-"] in [line.split() for line in lines]
    assert json.loads(call("models", "--json").stdout)[-1]["built_parameters"] is None


def test_methods_are_listed_by_their_old_verb_too(call):
    assert call("methods", "--json").stdout == call("list", "methods", "--json").stdout


def test_a_run_is_made_continued_verified_compared_and_shown(call, places):
    """A whole walk over the verbs on synthetic data, with methods that need no training."""
    config = places / "small.yaml"
    config.write_text(SMALL)
    ran = call("run", str(config), "--data", "synthetic", "--report", str(places / "report"))
    assert ran.returncode == 0, ran.stderr
    *_, last, report = ran.stdout.splitlines()
    name, _, folder = last.partition(": ")
    assert name == "small" and report.startswith("report: ")
    assert (places / "report/report.html").exists()
    again = call("resume", folder)
    assert again.stdout.splitlines()[-1] == f"small: {folder}", again.stderr
    run_id = folder.rpartition("/")[2]
    assert call("resume", run_id).stdout == again.stdout
    (as_json,) = json.loads(call("resume", run_id, "--json").stdout)
    assert (as_json["folder"], as_json["done"]) == (folder, 6)
    page = json.loads(call("report", run_id, "--out", str(places / "again"), "--json").stdout)
    assert page["report"].endswith("again/report.html")
    checked = json.loads(call("verify", run_id, "--json").stdout)
    assert checked["identical"] and checked["samples"] > 0
    (state,) = json.loads(call("status", "--json").stdout)
    assert (state["done"], state["expected"], state["failed"]) == (6, 6, 0)
    compared = call("compare", f"{folder}:linear-svm", f"{folder}:baseline-majority", "--json")
    tree = json.loads(compared.stdout)
    assert tree["first"]["row"] == "Linear SVM" and len(tree["differences"][0]["interval"]) == 2
    assert (
        "McNemar" in call("compare", f"{folder}:linear-svm", f"{folder}:baseline-majority").stdout
    )


def test_failed_folds_are_named_at_the_end_of_a_run(call, places, monkeypatch):
    from mer_keras.methods.chance import ChanceMethod
    from mer_keras.training.fold import FoldFailedError

    def fail(self, x, y, **others):
        raise FoldFailedError("nothing to count")

    monkeypatch.setattr(ChanceMethod, "fit", fail)
    config = places / "small.yaml"
    config.write_text(SMALL)
    done = call("run", str(config), "--data", "synthetic")
    assert done.returncode == 3, "a failed fold is no success, and no mistake of the user's"
    assert "3 of 6 folds failed; the first: nothing to count" in done.stderr
    assert "the same command tries them again" in done.stderr
    (state,) = json.loads(call("status", "--json").stdout)
    assert (state["state"], state["failed"]) == ("failed folds", 3)
    assert call("report", "latest", "--out", str(places / "report")).returncode == 0
    assert call("resume", "latest").returncode == 3


def test_batches_have_a_header_for_readers(call, places, monkeypatch):
    from mer_keras.runs import plan

    batch = {"experiment": "a/b", "row": "C", "batch": 8, "clips_a_second": 12.5, "fastest": True}
    monkeypatch.setattr(plan, "find_batches", lambda config, data: [batch])
    header, row = call("plan", "ststnet/megc2019", "--find-batch").stdout.splitlines()
    assert header.split("  ")[-1] == "fastest" and "clips a second" in header
    assert row.split() == ["a/b", "C", "8", "12.5", "yes"]
    tree = json.loads(call("plan", "ststnet/megc2019", "--find-batch", "--json").stdout)
    assert tree == [batch]


def test_audit_in_words_and_as_json(call):
    words = " ".join(call("audit", "micro_attention").stdout.split())
    assert "accuracy 0.763 is WAR of the matrix" in words
    tree = json.loads(call("audit", "--json").stdout)
    assert set(tree) == {
        "capsulenet",
        "dense_mixed_attention",
        "meranet",
        "micro_attention",
        "microexp_stcnn",
        "shallow_attention",
        "shallow_convlstm",
        "ststnet",
    }
    assert all(finding["says"] for several in tree.values() for finding in several)


def test_a_table_that_is_covered_by_another_is_found(call, tmp_path):
    folders = {f"MER_{n}": str(tmp_path) for n in ("DATA", "CACHE", "RESULTS")}
    done = call("plan", "dense_mixed_attention/table66", **folders)
    assert done.returncode == 2
    assert "known: dense_mixed_attention/megc2019_flow" in done.stderr
    done = call("plan", "micro_attention/table6/smicc", **folders)
    assert "did you mean 'smic'" in done.stderr


def test_exit_codes_and_streams_of_a_real_process():
    assert in_a_process("--version").stdout.startswith("mer-keras 0.")
    wrong = in_a_process("resume", "nowhere")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("mer-keras: nowhere")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", "ststnet/megc2020"], "did you mean 'ststnet/megc2019'"),
        (["run", "ststnet/megc2019", "--profile", "quikc"], "did you mean 'quick'"),
        (["run", "ststnet/megc2019", "--set", "train.epoch=5"], "did you mean 'epochs'"),
        (["run", "ststnet/megc2019"], "data howto megc2019_flow"),
        (["run", "shallow_convlstm/table1", "--data", "real"], "data howto samm"),
        (["plan", "ststnet/megc2019", "--data", "synthetic"], "no synthetic"),
        (["models", "show", "ststne"], "did you mean 'ststnet'"),
        (["models", "show", "ststnet", "--set", "dropuot=1"], "did you mean 'dropout'"),
        (["data", "howto", "sam"], "did you mean 'samm'"),
        (["data", "synth", "mmwe"], "did you mean 'mmew'"),
        (["resume", "nowhere"], "nowhere"),
    ],
)
def test_the_users_mistakes_end_with_2_and_say_what_to_do(call, places, arguments, complaint):
    done = call(*arguments)
    assert done.returncode == 2, done.stderr
    assert complaint in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_data_verbs_on_a_synthetic_database(call, places):
    from mer_keras.synthetic import stand_ins

    stand_ins.write("mmew", places / "data" / "MMEW", stand_ins.StandInOptions(clips=20, size=24))
    listed = {d["name"]: d["place"] for d in json.loads(call("data", "list", "--json").stdout)}
    assert listed["mmew"].endswith("MMEW")
    assert listed["samm"] is None
    checked = json.loads(call("data", "check", "mmew", "--json").stdout)
    assert checked["clips"] == 20
    assert checked["data_kind"] == "synthetic"
    assert "Micro_Expression" in call("data", "howto", "mmew").stdout


def test_a_published_flow_set_is_imported(call, places):
    from mer_keras.bench import flow_like

    flow_like.write(flow_like.draw(people=3), places / "downloads")
    source = str(places / "downloads" / "megc2019_flow")
    imported = json.loads(call("data", "import", "megc2019_flow", source, "--json").stdout)
    assert imported["subjects"] == 3
    assert imported["data_kind"] == "synthetic"
    assert imported["excluded"] == []
    checked = json.loads(call("data", "check", "megc2019_flow", "--json").stdout)
    assert checked["clips"] == imported["clips"] == sum(imported["emotions"].values())
    again = call("data", "import", "megc2019_flow", source)
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_status_of_nothing(call, places):
    assert json.loads(call("status", "--json").stdout) == []


def test_models_show_lists_layers(call):
    done = call("models", "show", "ststnet", "--set", "dropout=0.1")
    assert "1,715 parameters, 390 k multiply-accumulates a clip" in done.stdout
    assert "ConvNormPool" in done.stdout
    layers = json.loads(call("models", "show", "ststnet", "--json").stdout)
    assert sum(layer["parameters"] for layer in layers) == 1715
    assert layers[1]["inputs"] == ["clip"]
    variables = json.loads(call("models", "show", "ststnet", "--variables", "--json").stdout)
    assert {"variable": "fc/bias", "shape": [3]} in variables
