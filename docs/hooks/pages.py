"""What MkDocs is told besides ``docs/``: pages of the clone, stored results, lists made from code.

The README is the first page. Links that lead out of ``docs/`` work in the clone and in the site.
Lists that code already holds are put where a page has the mark ``<!-- put here: ... -->``, in the
place of the lines that follow it, which say to readers of the file where the list is.
"""

import re
import sys
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import click
import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
#: Files of the clone that pages link to, beside everything in ``results/published``.
_BESIDE = ("CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "notebooks/*.ipynb")
_MARK = "<!-- put here: {} -->"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let the lists below be made from this clone's code."""
    sys.path.insert(0, str(ROOT))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the README, other pages of the clone, and what is stored of runs."""
    files.append(_of_clone(config, ROOT / "README.md", "index.md"))
    stored = (path for path in ROOT.glob("results/published/**/*") if path.is_file())
    beside = (path for pattern in _BESIDE for path in ROOT.glob(pattern))
    for path in sorted((*stored, *beside)):
        files.append(_of_clone(config, path, _site_path(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Put in lists that are made, and let links out of ``docs/`` lead into the site."""
    for name, make in _LISTS.items():
        mark = re.escape(_MARK.format(name))
        markdown = re.sub(rf"{mark}(\n.+)*", lambda _, make=make: make(), markdown)
    for path in ROOT.glob("results/published/**/*.md"):
        own, in_site = path.relative_to(ROOT).as_posix(), _site_path(path)
        markdown = markdown.replace(f"({own})", f"({in_site})")
        markdown = markdown.replace(f"(../{own})", f"({in_site})")
    folder = "](docs/" if page.file.src_uri == "index.md" else "](../"
    if "/" not in page.file.src_uri:
        markdown = markdown.replace(folder, "](")
    return markdown


def _of_clone(config: MkDocsConfig, path: Path, site_path: str) -> File:
    return File.generated(config, site_path, abs_src_path=str(path))


def _site_path(path: Path) -> str:
    """Path of a file in the site; a text beside a page of its name would become the same page."""
    site_path = path.relative_to(ROOT)
    if path.suffix == ".md" and path.with_suffix(".html").is_file():
        site_path = site_path.with_stem(f"{path.stem}-text")
    return site_path.as_posix()


def _corrections() -> str:
    """The stored table of corrections, without its heading."""
    text = (ROOT / "results/published/corrections.md").read_text(encoding="utf-8")
    return text.partition("\n")[2]


def _threads() -> str:
    """The stored table of numbers of threads, without what stands above it."""
    text = (ROOT / "results/published/bench/threads.md").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if line.startswith("|"))


def _faults() -> str:
    """What the suite survives, as a table."""
    from tests.faults import FAULTS

    rows = [f"| {number} | {fault} | {must} |" for number, (fault, must) in sorted(FAULTS.items())]
    return "\n".join(["| number | fault | what happens |", "| --- | --- | --- |", *rows])


def _keys() -> str:
    """Every key of a config under a heading for each that stands at the top of a file."""
    from mer_keras.config.keys import config_keys

    lines: list[str] = []
    top = ""
    for key in config_keys():
        if key.name.partition(".")[0] != top:
            top = key.name.partition(".")[0]
            lines += [f"## {top}", ""]
        default = "" if key.default in (None, '""') else f", default {key.default}"
        values = f"{key.values}{', needed' if key.required else default}"
        lines += [f"`{key.name}`", f":   *{escape(values)}*<br>{escape(key.meaning)}", ""]
    return "\n".join(lines)


def _commands() -> str:
    """The help of every verb."""
    from mer_keras.cli.main import app

    group = typer.main.get_command(app)
    return "\n".join(
        line
        for names, command in _verbs(group, ("mer-keras",))
        for line in _help_of(names, command)
    )


def _verbs(
    command: click.Command, names: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb that is shown, with the words that call it."""
    subcommands = getattr(command, "commands", {})
    if len(names) > 1 and (not subcommands or getattr(command, "invoke_without_command", False)):
        yield names, command
    for name, subcommand in subcommands.items():
        if not subcommand.hidden:
            yield from _verbs(subcommand, (*names, name))


def _help_of(names: tuple[str, ...], command: click.Command) -> Iterator[str]:
    """Lines of a verb's section: what it does, its usage, examples, arguments and options."""
    context = click.Context(command, info_name=" ".join(names))
    paragraphs = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    examples = [part for part in paragraphs if part.startswith("Example: ")]
    yield from (f"## {' '.join(names[1:])}", "")
    for paragraph in paragraphs:
        if paragraph not in examples:
            yield from (paragraph, "")
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from ("```", *(part.removeprefix("Example: ") for part in examples), "```", "")
    yield from (f"Usage: `{usage}`", "")
    for parameter in command.get_params(context):
        if parameter.name == "help":
            continue
        name = ", ".join(parameter.opts)
        if parameter.param_type_name == "argument":
            name = parameter.metavar or str(parameter.name).upper()
        elif not parameter.is_flag:
            name += f" {str(parameter.name).upper()}"
        yield from (f"`{name}`", f":   {escape(getattr(parameter, 'help', '') or '-')}", "")


_LISTS: dict[str, Callable[[], str]] = {
    "results/published/corrections.md": _corrections,
    "results/published/bench/threads.md": _threads,
    "the list of faults": _faults,
    "the keys of a config": _keys,
    "the help of every verb": _commands,
}
