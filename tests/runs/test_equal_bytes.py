"""All that a run and its report store is the same, byte for byte, whoever computes it and where.

Each run has a cache of its own, so that clips are decoded anew, and goes the way of a user: by the
command line, in a process of its own.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("keras")
from mer_keras import settings
from tests.runs.small import SMALL

ROOT = Path(__file__).parents[2]
#: What may differ between two runs of one experiment on one machine: when it was, how long it took,
#: and the state of the code, which somebody may change meanwhile.
MAY_DIFFER = {
    rb'("created": )"[^"]*"': rb'\1"2026-01-01T00:00:00+00:00"',
    rb'("seconds": )[-+.e0-9]+': rb"\g<1>1.0",
    rb'("git": )"[^"]*"': rb'\1"unknown"',
}
COMMAND = "import sys; from mer_keras.cli.main import main; sys.argv[0] = 'mer-keras'; main()"
#: Variables by which the system's language and the letters of names are chosen.
LANGUAGE = ("LC_ALL", "LC_CTYPE", "LANG", "LANGUAGE", "PYTHONUTF8", "PYTHONCOERCECLOCALE")

#: What differs from the first run: options of the command line, and variables.
VARIATIONS = {
    "two workers, C": (["--workers", "2"], {"LC_ALL": "C", "PYTHONHASHSEED": "1"}),
    "isolated folds": (["--isolate", "--workers", "2"], {"LC_ALL": "C.utf8"}),
    "cluster": (["--cluster", "local"], {"PYTHONHASHSEED": "2"}),
    "German": ([], {"LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "1"}),
    "Turkish": ([], {"LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2"}),
    "no such language": ([], {"LC_ALL": "xx_YY.UTF-8"}),
    "ASCII alone": ([], {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
}


@pytest.fixture(scope="module")
def languages(tmp_path_factory):
    """A folder of the locales above, made from the system's sources where it has them."""
    folder = tmp_path_factory.mktemp("locales")
    for name in ("de_DE", "tr_TR"):
        command = ["localedef", "-i", name, "-f", "UTF-8", str(folder / f"{name}.UTF-8")]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip(f"this system can't make the locale {name}")
    return folder


def run_and_report(place, data, options, variables):
    """Run the small experiment and report on it in a folder; return all that is stored."""
    place.mkdir()
    environment = {key: value for key, value in os.environ.items() if key not in LANGUAGE}
    environment |= dict.fromkeys(settings.THREADS, "1")
    environment |= {"MER_DATA": str(data), "MER_CACHE": str(place / "cache")}
    environment |= {"MER_RESULTS": str(place / "results"), "PYTHONPATH": str(ROOT), **variables}
    changes = [part for change in [*SMALL, "record_epochs=true"] for part in ("--set", change)]
    table = str(ROOT / "experiments/shallow_convlstm/table1.yaml")
    run = ["run", table, "--profile", "quick", "--data", "real", *changes, *options]
    mer_keras(run, place, environment)
    (results,) = (place / "results").iterdir()
    for file in results.rglob("*.json"):
        content = file.read_bytes()
        for pattern, same in MAY_DIFFER.items():
            content = re.sub(pattern, same, content)
        file.write_bytes(content)
    mer_keras(["report", "latest", "--out", "report"], place, environment)
    files = [file for root in (results, place / "report") for file in sorted(root.rglob("*"))]
    return {
        str(file.relative_to(place)): file.read_bytes()
        for file in files
        if file.is_file() and file.name != ".lock"
    }


def mer_keras(arguments, place, environment):
    """Run a command in a folder; it must end well."""
    command = [sys.executable, "-c", COMMAND, *arguments]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    assert b"Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_byte_is_the_same_by_workers_cluster_language_hash_seed_and_folder(
    small_databases, tmp_path, languages
):
    data = small_databases / "data"
    first = run_and_report(tmp_path / "first", data, [], {"PYTHONHASHSEED": "0"})
    assert len([name for name in first if name.endswith((".parquet", ".npy"))]) == 6 + 3
    assert any(re.fullmatch(r"report/.*\.html", name) for name in first)
    different = {}
    for number, (name, (options, variables)) in enumerate(VARIATIONS.items()):
        if "--cluster" in options:
            pytest.importorskip("ray")
        place = tmp_path / f"another folder, {number}"
        stored = run_and_report(place, data, options, {"LOCPATH": str(languages), **variables})
        files = sorted(first.keys() | stored.keys())
        different[name] = [file for file in files if first.get(file) != stored.get(file)]
    print(f"{len(first)} files of {sum(map(len, first.values())):,} bytes, {len(different)} times")
    assert not any(different.values()), different
