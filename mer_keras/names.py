"""Names that stand in keys, paths and file names."""

import re

#: Longest key: file systems allow 255 bytes a name, and several keys stand in one.
MAX_KEY = 60


def slug(text: str) -> str:
    """Lower-case letters, digits and single hyphens, at most ``MAX_KEY`` characters.

    Different texts can have the same slug (other alphabets leave nothing but ``x``), so whoever
    makes keys of names checks that they differ.
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:MAX_KEY] or "x"
