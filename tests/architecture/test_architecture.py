"""The house rules: import order, light imports, sizes, thin packages, no machine in the text."""

import ast
import re
import statistics
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "mer_keras"
MODULES = sorted(PACKAGE.rglob("*.py"))

#: rooms from the ground up; a module imports from its own room and from lower ones only
ORDER = [
    {"terms", "errors", "progress", "names", "whole_files"},
    {"settings", "bounded_files", "json_text", "array_files", "parquet_files"},
    {"arrays", "flow_channels", "provenance"},
    {"config"},
    {"databases", "synthetic", "protocols", "evaluation", "features"},
    {"clips"},
    {"video"},
    {"layers"},
    {"models"},
    {"training"},
    {"methods"},
    {"audit", "runs"},
    {"explanation"},
    {"report", "doctor"},
    {"leaderboard", "bundles"},
    {"exporting", "prediction"},
    {"cli", "notebook"},
    {"bench"},  # It measures what users call, the command line too.
]
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
LEAVES = set().union(*ORDER[:4])
#: rooms that must start without TensorFlow and Keras
LIGHT = [
    "audit",
    "databases",
    "synthetic",
    "protocols",
    "evaluation",
    "features",
    "config",
    "report",
    "leaderboard",
    "video",
    "cli",
]


def room_of(module):
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(module):
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "mer_keras" and len(parts) > 1 and parts[1] in LEVEL:
                yield parts[1]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_imports_run_one_way(module):
    own = room_of(module)
    if own == "__init__":
        return
    assert own in LEVEL, f"{own} has no place in the order of rooms"
    for room in imported_rooms(module):
        assert room == own or LEVEL[room] < LEVEL[own], f"{own} must not import {room}"
        if own in ("protocols", "evaluation", "synthetic", "features") and room != own:
            assert room in LEAVES, f"{own} may import leaves only, not {room}"


def test_light_rooms_start_without_tensorflow():
    """One process imports all of their modules, and says after which one TensorFlow is there."""
    modules = [
        ".".join(module.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for module in MODULES
        if room_of(module) in LIGHT
    ]
    code = (
        f"import importlib, sys\nfor name in {modules}:\n    importlib.import_module(name)\n"
        "    assert not {'tensorflow', 'keras'} & set(sys.modules), name\nprint('light')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "light", done.stderr


def test_few_modules_name_tensorflow():
    """tf.data, its version, gradients, compiled functions: Keras has no interface for these."""
    may = ("dataset.py", "provenance.py", "grad_cam.py", "device.py", "mapping.py")
    # They are faster on a processor than what Keras writes.
    may += ("fused.py", "batch_norm.py", "dense_block.py", "processor.py", "optimizers.py")
    for module in MODULES:
        if module.name in may:
            continue
        for node in ast.walk(ast.parse(module.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not any(n.split(".")[0] == "tensorflow" for n in names), module


def test_modules_fit_in_the_head():
    lengths = {module: len(module.read_text().splitlines()) for module in MODULES}
    for module, lines in lengths.items():
        assert lines <= 500, f"{module.name} has {lines} lines"
    assert statistics.median(lengths.values()) < 200


def test_a_comment_is_a_sentence():
    """A comment that begins with a preposition lacks its subject."""
    comment = re.compile(r"^\s*#:?\s+(.*)")
    preposition = re.compile(r"(of|by|with|to|for|from|in|on|at|as|that|which|than|so)\b")
    for module in MODULES:
        lines = ["", *module.read_text().splitlines()]
        for number, (before, line) in enumerate(pairwise(lines), start=1):
            begins = comment.match(line) if not comment.match(before) else None
            assert not (begins and preposition.match(begins[1])), f"{module}:{number}: {line}"


def test_any_stands_at_borders_only():
    """Types are unknown where Keras, YAML and JSON begin, and hardly anywhere else."""
    names = (
        node
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Name) and node.id == "Any"
    )
    assert sum(1 for _ in names) < 200


def test_kinds_of_methods_are_told_apart_in_one_room():
    """Whoever asks whether a method is classical or chance treats kinds otherwise than alike."""
    pattern = re.compile(
        r"\.(classical|chance)\b|isinstance\([^)]*\b(ClassicalMethod|ChanceMethod|ShuffledLabels)\b"
    )
    for module in MODULES:
        if room_of(module) not in ("methods", "config"):
            assert not pattern.search(module.read_text()), module


def test_packages_are_thin_and_say_what_they_are():
    for init in PACKAGE.rglob("__init__.py"):
        tree = ast.parse(init.read_text())
        assert ast.get_docstring(tree), init
        others = [n for n in tree.body[1:] if not isinstance(n, ast.Assign)]
        if init.parent == PACKAGE:  # It has what users call from Python.
            others = [n for n in others if not isinstance(n, ast.ImportFrom | ast.If)]
            others = [n for n in others if getattr(n, "name", "") != "load_bundle"]
        assert not others, f"{init} does more than to introduce itself"


def test_the_package_starts_without_arrays():
    code = "import sys, mer_keras; print({'tensorflow', 'keras', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_only_training_fits_and_only_protocols_split():
    for module in MODULES:
        text = module.read_text()
        if room_of(module) != "training":
            assert not re.search(r"model\.fit\(|network\.fit\(", text), module
        if room_of(module) != "protocols":
            assert not re.search(r"(GroupKFold|LeaveOneGroupOut|train_test_split)\(", text), module


def test_nothing_dangerous_is_loaded():
    pattern = re.compile(
        r"\bimport pickle|allow_pickle=True|yaml\.load\(|safe_mode=False|layers\.Lambda|get_file\("
    )
    for module in MODULES:
        assert not pattern.search(module.read_text()), module


def test_experiments_name_known_methods_databases_and_schemes():
    from mer_keras.config.files import experiment_names, load_experiments
    from mer_keras.databases.label_schemes import known_schemes
    from mer_keras.databases.registry import known_databases
    from mer_keras.methods.registry import check_methods
    from mer_keras.models.registry import MODELS

    for name in experiment_names():
        for config in load_experiments(name):
            check_methods(config)
            sources = [source for stage in config.stages for source in stage.sources]
            names = {*config.data.databases, *(source.database for source in sources)}
            assert names <= set(known_databases())
            schemes = {config.data.scheme_of(d) for d in config.data.databases}
            assert schemes | {source.labels for source in sources} <= set(known_schemes())
            assert {stage.model for stage in config.stages if stage.model} <= set(MODELS)


def test_dependencies_have_a_reason_each():
    block = (ROOT / "setup.cfg").read_text().split("install_requires =")[1].split("[options")[0]
    lines = [line.strip() for line in block.splitlines() if line.strip()]
    for before, line in pairwise(lines):
        if not line.startswith("#"):
            assert before.startswith("#"), f"{line} has no reason"


def test_no_machine_in_the_text():
    pattern = re.compile(r"(^|[\s\"'(=])/(home|root|work|Users|mnt)/")
    for suffix in ("*.py", "*.md", "*.yaml", "*.cfg", "*.toml", "*.cff"):
        for file in ROOT.rglob(suffix):
            if any(part in (".venv", "results", "build") for part in file.parts):
                continue
            assert not pattern.search(file.read_text()), file
