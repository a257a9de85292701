"""Commands that the README, the pages of docs/ and the help show: each runs as it is printed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from mer_keras.cli.main import app
from mer_keras.config.files import load_experiments
from mer_keras.databases.registry import known_databases
from mer_keras.errors import ConfigError
from mer_keras.models.registry import MODELS
from mer_keras.terms import SYNTHETIC_MARKER

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md")))
GROUP = typer.main.get_command(app)
#: Verbs that only read what is shipped: they are run here, in this process.
LIGHT = ("list", "models", "data list", "data howto", "data card", "data cache", "audit")
#: Verbs that ``test_every_command_of_a_block_runs`` leaves out, and what they need.
NEED_MORE = {
    "data import": "a published set of images, see tests/test_cli.py",
    "contribute": "a run on the public set, see tests/leaderboard",
    "track": "the extra tracking",
    "export": "the extra export",
    "bundle": "a trained file, see tests/bundles",
    "train": "see tests/bundles",
    "predict": "see tests/prediction",
    "spot": "see tests/video",
    "video": "see tests/video",
    "annotate": "see tests/video",
    "demo": "see tests/prediction",
}


def text_of(page):
    """A page without what a command writes into it."""
    text = page.read_text()
    return re.sub(r"<!-- overview: begin.*?<!-- overview: end -->", "", text, flags=re.S)


def in_blocks(text):
    """Commands of a text's code blocks, without what a shell would not pass on."""
    for block in re.findall(r"^```\n(.*?)^```", text, re.M | re.S):
        # A line that ends with a backslash goes on in the next one.
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            command = line.partition(" #")[0].strip().removeprefix(".venv/bin/")
            if command.startswith("mer-keras "):
                yield command.partition(" > ")[0]


def in_sentences(text):
    """Commands within sentences; there, words in capitals stand for names."""
    for command in re.findall(r"`(mer-keras [^`]+)`", text):
        yield " ".join(command.split())


def verbs(command=GROUP, names=()):
    """Every verb that is shown, with the words that call it."""
    subcommands = getattr(command, "commands", {})
    if names and (not subcommands or command.invoke_without_command):
        yield " ".join(names), command
    for name, subcommand in subcommands.items():
        if not subcommand.hidden:
            yield from verbs(subcommand, (*names, name))


def examples(command):
    """Commands that a verb's help shows."""
    for paragraph in (command.help or "").split("\n\n"):
        text = " ".join(paragraph.split())
        if text.startswith("Example: "):
            yield text.removeprefix("Example: ").partition(" > ")[0]


VERBS = dict(verbs())
BLOCKS = sorted({command for page in PAGES for command in in_blocks(text_of(page))})
SENTENCES = sorted({command for page in PAGES for command in in_sentences(text_of(page))})
EXAMPLES = sorted({example for command in VERBS.values() for example in examples(command)})


def parsed(command):
    """The verb of a command and its parameters, read as the command line reads them."""
    words, verb, names = shlex.split(command)[1:], GROUP, []
    while words and words[0] in getattr(verb, "commands", {}):
        names.append(words.pop(0))
        verb = verb.commands[names[-1]]
    return " ".join(names), verb.make_context(" ".join(names), words).params


def check_names(verb, parameters):
    """Experiments, keys, databases and networks that a command names are there."""
    overrides = [text for text in parameters.get("overrides") or () if "=" in text]
    if verb in ("run", "plan"):
        for name in parameters["experiments"]:
            if not name.isupper():
                load_experiments(name, profile=parameters["profile"] or "full", overrides=overrides)
    elif verb.startswith("data ") and verb not in ("data add", "data remove"):
        name = parameters.get("name")
        assert name is None or name.isupper() or name in known_databases()
    elif verb in ("models show", "models card"):
        assert parameters["name"].isupper() or parameters["name"] in MODELS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_an_example_of_itself_and_speaks_json(verb):
    shown = [*examples(VERBS[verb])]
    assert shown
    for example in shown:
        assert example.startswith(f"mer-keras {verb}")
    options = {option for parameter in VERBS[verb].params for option in parameter.opts}
    assert "--json" in options or verb == "bundle schema", "a schema is JSON anyway"


def lists_of_verbs(command=GROUP, names=()):
    """Every group of verbs, with the words that call it."""
    if subcommands := getattr(command, "commands", {}):
        yield " ".join(names), command
        for name, subcommand in subcommands.items():
            yield from lists_of_verbs(subcommand, (*names, name))


@pytest.mark.parametrize(("names", "group"), lists_of_verbs())
def test_each_line_of_a_list_of_verbs_is_a_whole_sentence(names, group, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    app([*names.split(), "--help"], standalone_mode=False)
    lines = capsys.readouterr().out.partition("Commands:\n")[2].splitlines()
    shown = [name for name, command in group.commands.items() if not command.hidden]
    assert [line.split()[0] for line in lines] == shown, "a line a verb"
    for line in lines:
        assert re.fullmatch(r"  [a-z]+ +[A-Z][^.…]*\.", line), line
        assert len(line) <= 80


@pytest.mark.parametrize("command", [*EXAMPLES, *BLOCKS])
def test_a_command_is_read_and_names_what_is_there(command):
    check_names(*parsed(command))


@pytest.mark.parametrize("command", SENTENCES)
def test_a_command_in_a_sentence_is_one(command):
    """What stands for a name, and what an example elsewhere in the text makes, is not looked up."""
    words = [word for word in command.split()[1:] if word != "--help"]
    if words[0] == "VERB" or words == ["--install-completion"]:
        return
    assert verb_of(command), command
    options = set()
    for command_or_group in (GROUP.commands[words[0]], VERBS.get(verb_of(command))):
        options |= {
            o for parameter in getattr(command_or_group, "params", ()) for o in parameter.opts
        }
    assert {word for word in words if word.startswith("--")} <= options


def verb_of(command):
    """The longest verb with which a command begins; empty where there is none."""
    words = command.split()[1:]
    return next((v for n in (2, 1) if (v := " ".join(words[:n])) in [*VERBS, *GROUP.commands]), "")


@pytest.mark.parametrize(
    "command",
    sorted(
        command
        for command in {*EXAMPLES, *BLOCKS}
        if verb_of(command).startswith(LIGHT) and verb_of(command) != "models show"
    ),
)
def test_a_command_that_reads_what_is_shipped_runs(command, places, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("MER_CONFIG", str(places))
    monkeypatch.chdir(places)
    app(shlex.split(command)[1:], standalone_mode=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines
    if verb_of(command) in ("list", "list methods", "list keys", "data list", "models"):
        assert "--json" in command or max(map(len, lines)) <= 80


def small_command(command):
    """The command at its smallest: what trains does so on few drawn clips."""
    words = shlex.split(command)[1:]
    verb = verb_of(command)
    if verb in ("run", "plan", "explain") and words[1] != "latest":
        words += ["--profile", "smoke"]
        real = "megc2019" in command or "leaderboard/" in command or "my_lab" in command
        words += [] if real or "--data" in words else ["--data", "synthetic"]
    if verb == "guess":
        words += ["--repetitions", "10"]
    return words


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A folder with all that the commands name: own clips, predictions, a drawn flow set."""
    import cv2
    import numpy as np
    import pandas as pd

    from mer_keras.bench import flow_like
    from mer_keras.databases.readers.megc2019_key_frames import IMAGES

    folder = tmp_path_factory.mktemp("workshop")
    flow_like.write(flow_like.draw(people=4), folder / "data")
    # The marker of drawn sets is taken away: what the pages say of the public set is tried on it.
    flow = folder / "data/megc2019_flow"
    (flow / SYNTHETIC_MARKER).unlink()
    key_frames = shutil.copytree(flow, folder / "data/megc2019_key_frames")
    listed = pd.read_csv(flow / "samples.csv", dtype=str)
    images = dict.fromkeys(IMAGES, listed["image"])  # One image stands for all four.
    listed.drop(columns="image").assign(**images).to_csv(key_frames / "samples.csv", index=False)
    (folder / "experiments").symlink_to(ROOT / "experiments")
    (folder / "results").mkdir()
    shutil.copytree(ROOT / "results/published", folder / "results/published")
    shutil.copytree(ROOT / "docs", folder / "docs")
    (folder / "README.md").write_text((ROOT / "README.md").read_text())
    lab = folder / "my_lab"
    random = np.random.default_rng(0)
    rows = ["sample,subject,path,onset,apex,offset,emotion,fps"]
    for number in range(8):
        clip = lab / f"frames/a{number}"
        clip.mkdir(parents=True)
        for frame in range(1, 13):
            picture = random.integers(0, 255, (40, 40), dtype=np.uint8)
            cv2.imwrite(str(clip / f"{frame}.png"), picture)
        emotion = ("happiness", "surprise")[number % 2]
        rows.append(f"a{number},p{number // 2},frames/a{number},1,6,12,{emotion},100")
        other = folder / f"my_folder/p{number // 2}/{emotion}/c{number}"
        other.mkdir(parents=True)
        (other / "1.png").write_bytes((clip / "1.png").read_bytes())
    (lab / "clips.csv").write_text("\n".join(rows) + "\n")
    text = (ROOT / "docs/own-data.md").read_text()
    (lab / "classes.yaml").write_text(re.search(r"```yaml\n(.*?)```", text, re.S)[1])
    clips = [f"p{n % 4},{('negative', 'surprise')[n % 2]},negative" for n in range(12)]
    (folder / "predictions.csv").write_text("\n".join(["subject,label,predicted", *clips]) + "\n")
    names = {"MER_CACHE": "cache", "MER_CONFIG": "config", "MER_RESULTS": "results"}
    environment = {name: str(folder / where) for name, where in names.items()}
    return folder, {**os.environ, **environment, "MER_DATA": str(folder / "data")}


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_block_runs(workshop, page):
    """In the order of the page, so that `latest` is what a reader has run before."""
    folder, environment = workshop
    for command in in_blocks(text_of(page)):
        if "--cluster" in command or verb_of(command).startswith((*NEED_MORE,)):
            continue
        if command == "mer-keras leaderboard my-result --out results/leaderboard":
            continue
        done = subprocess.run(
            [sys.executable, "-m", "mer_keras.cli", *small_command(command)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        needs_data = "data check samm" in command and done.returncode == 2
        assert done.returncode == 0 or needs_data, f"{command}\n{done.stderr}"


def test_a_misspelt_experiment_would_be_seen():
    with pytest.raises(ConfigError):
        check_names(*parsed("mer-keras plan shallow_convlstm/tabel1"))
