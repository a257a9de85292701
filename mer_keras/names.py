"""Names that stand in keys, paths and file names."""

import re

#: Letters that no text shows: control characters but tab and the end of a line, and those that turn
#: the direction of the text behind them.
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
#: Longest key: file systems allow 255 bytes a name, and several keys stand in one.
MAX_KEY = 60


def shown(text: str) -> str:
    """A text whose letters are all shown: a sign stands for each of the others.

    A carriage return, which ends lines of markdown and of terminals, becomes the end of a line.
    """
    return _UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", re.sub("\r\n?", "\n", text))


def slug(text: str) -> str:
    """Lower-case letters, digits and single hyphens, at most ``MAX_KEY`` characters.

    Different texts can have the same slug (other alphabets leave nothing but ``x``), so whoever
    makes keys of names checks that they differ.
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:MAX_KEY] or "x"
