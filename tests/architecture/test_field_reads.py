"""Every field of a config is read by something; and the rule that says so can fail."""

import ast
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel

from tests.architecture.field_reads import field_reads

PACKAGE = Path(__file__).parents[2] / "mer_keras"
TRAINING = PACKAGE / "config/training.py"
#: Fields that no code reads as attributes, and who reads them instead.
READ_ELSEWHERE = {
    ("Paper", "title"): "templates of the report",
    ("Experiment", "also_reproduces"): "config.files, before the file is checked",
    ("Published", "part"): "config.files, before the file is checked",
    # Keras gets the whole block, and refuses a keyword that it doesn't know.
    ("Plateau", "factor"): "ReduceLROnPlateau",
    ("Plateau", "patience"): "ReduceLROnPlateau",
    ("MethodConfig", "inputs"): "config.method_inputs, before the file is checked",
    ("Claim", "protocol"): "whoever lists methods",
}


def config_fields():
    """(model, field) of every config model."""
    for file in sorted((PACKAGE / "config").glob("[!_]*.py")):
        module = import_module(f"mer_keras.config.{file.stem}")
        for model in vars(module).values():
            own = isinstance(model, type) and model.__module__ == module.__name__
            if own and issubclass(model, BaseModel):
                yield from ((model.__name__, field) for field in model.model_fields)


def package_reads(**changed):
    """What the package reads, some of its files (by name) having another text."""
    texts = {file: file.read_text() for file in PACKAGE.rglob("*.py")}
    texts |= {TRAINING: changed.get("training", texts[TRAINING])}
    return field_reads(ast.parse(text) for text in texts.values())


def test_every_config_field_is_read_by_something():
    reads = package_reads()
    unread = set(config_fields()) - reads
    assert unread == set(READ_ELSEWHERE)


@pytest.mark.parametrize("name", ["size", "name"])
def test_an_unread_field_is_caught_whatever_it_is_called(name):
    """The package reads attributes of these names, of other things."""
    text = TRAINING.read_text()
    head = '    """The training recipe."""\n'
    assert head in text
    reads = package_reads(training=text.replace(head, f"{head}    {name}: int = 1\n"))
    assert ("Train", "epochs") in reads
    assert ("Train", name) not in reads


MODELS = """
class Inner(StrictModel):
    size: int
    name: str

class Outer(StrictModel):
    inner: Inner
    by_name: dict[str, Inner]
    all: tuple[Inner, ...] = ()

    @property
    def first(self) -> Inner:
        return self.all[0]

    @model_validator(mode="after")
    def _check(self):
        self.inner.size
        return self

@dataclass
class Context:
    outer: "Outer | None"

def inner_of(outer: Outer) -> Inner:
    return outer.inner
"""


@pytest.mark.parametrize(
    ("code", "read"),
    [
        ("def f(inner: Inner): return inner.size", True),
        ("def f(inner, array): return array.size", False),
        ("def f(inner: Inner, array): return inner.name + array.size", False),
        ("def f(outer: Outer): return outer.size", False),
        ("def f(outer: Outer): return outer.inner.size", True),
        ("def f(outer: Outer): return outer.inner.name.size", False),
        ("def f(outer: Outer): return [i.size for i in outer.all]", True),
        ("def f(outer: Outer): return {n: i.size for n, i in outer.by_name.items()}", True),
        ("def f(outer: Outer, key): return outer.by_name[key].size", True),
        ("def f(outer: Outer): return outer.first.size", True),
        ("def f(outer: Outer): return inner_of(outer).size", True),
        ("def f(outer: Outer): return max(outer.all, key=len).size", True),
        ("def f(context: Context): return context.outer.inner.size", True),
        ("def f(context): return context.outer.inner.size", False),
        ("def f(outer: Outer):\n  for i in outer.all:\n    if i.size: pass", True),
        ("def f(outer: Outer):\n  inner = outer.inner\n  return f'{inner.size}'", True),
        ("def f(outer: Outer):\n  inner = outer.inner\n  inner = 5\n  return inner.size", False),
        ("def f(inner: Inner): return g(**inner.model_dump())", True),
        ("def f(inner: Inner, name): return getattr(inner, name)", True),
        ("def f(inner: Inner): return getattr(inner, 'size')", True),
        ("def f(inner: Inner): return getattr(inner, 'name')", False),
        ("def f(tree): return Inner.model_validate(tree).size", True),
        ("def f(inner: Inner): return g(inner.model_dump())", False),
        (
            "class User:\n"
            "  def __init__(self, outer: Outer): self._outer = outer\n"
            "  def f(self): return self._outer.inner.size",
            True,
        ),
    ],
)
def test_types_are_followed(code, read):
    reads = field_reads([ast.parse(MODELS), ast.parse(code)])
    assert (("Inner", "size") in reads) == read
