"""Names of inputs, as experiments, methods and rows write them."""

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

_NAME = re.compile(r"[\w-]{1,60}")


def check_input_name(name: str) -> str:
    """Return a name that an input can have.

    A dot would be read as a way into a block by ``--set``, a line break would tear messages.

    Raises:
        ValueError: it has another form.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"input name {name[:80]!r}: expected letters, digits, '_' and '-', 60 at most"
        )
    return name


def check_input_names(names: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """Return the input that a method reads, or several; a list of one is that one.

    Raises:
        ValueError: there is none, or one has no name that an input can have.
    """
    listed = (names,) if isinstance(names, str) else names
    if not any(listed):
        raise ValueError("names no input: give one, or leave 'input' out for the default")
    for name in listed:
        check_input_name(name)
    return listed[0] if len(listed) == 1 else listed


#: Name of one input.
InputName: TypeAlias = Annotated[str, AfterValidator(check_input_name)]
#: Name of the input that a method reads, or of several.
InputNames: TypeAlias = Annotated[str | tuple[str, ...], AfterValidator(check_input_names)]
