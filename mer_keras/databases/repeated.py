"""Clips whose content stands twice: what is learned of one leaks to the other."""

from collections import defaultdict
from collections.abc import Mapping

import pandas as pd

#: What follows it in a warning names clips, and so subjects: reports leave it out.
IDS = " [ids: "
#: Most groups of clips that a warning names.
_MOST_NAMED = 10


def repeated_content(digests: Mapping[str, bytes], table: pd.DataFrame) -> list[str]:
    """Return a warning if clips have the same content; it names them.

    Args:
        digests: sample id -> digest of the clip's content.
        table: the samples table.
    """
    ids_of: dict[bytes, list[str]] = defaultdict(list)
    for sample_id, digest in digests.items():
        ids_of[digest].append(sample_id)
    groups = [ids for ids in ids_of.values() if len(ids) > 1]
    if not groups:
        return []
    rows = table.set_index("sample_id")
    labels = rows["label"].where(rows["label"] != "", rows["emotion"])
    other = {"subjects": rows["subject_id"], "labels": labels}
    under = [
        f"{count} under other {what}"
        for what, column in other.items()
        if (count := sum(column.loc[ids].nunique() > 1 for ids in groups))
    ]
    named = "; ".join(" = ".join(ids) for ids in groups[:_MOST_NAMED])
    more = "; ..." if len(groups) > _MOST_NAMED else ""
    kinds = f", {' and '.join(under)}" if under else ""
    return [
        f"the same content stands under several names in {len(groups)} case(s){kinds}: what is "
        f"trained on may be tested; leave all but one out{IDS}{named}{more}]"
    ]


def without_ids(warning: str) -> str:
    """Return a warning as a report may show it: without the clips that it names."""
    return warning.partition(IDS)[0]
