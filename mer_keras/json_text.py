"""JSON from anybody -> plain values whose texts can be written again."""

import json
import re
from collections.abc import Callable
from typing import Any

#: How JSON writes halves of letters, which alone are no letter.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(
    text: str,
    *,
    pairs: Callable[[list[tuple[str, Any]]], Any] | None = None,
    constant: Callable[[str], float] | None = None,
) -> Any:
    """Parse a text that somebody may have damaged, or made to exhaust memory.

    Args:
        text: the JSON.
        pairs: makes a mapping of its keys and values.
        constant: makes a number of NaN and Infinity.

    Raises:
        ValueError: it is no JSON, too deep, or holds half a letter, which no file can hold.
    """
    try:
        tree = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except RecursionError as error:
        raise ValueError("lists or mappings are too deep within each other") from error
    if _HALF.search(text):
        json.dumps(tree, ensure_ascii=False).encode()
    return tree
