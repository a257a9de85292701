"""The name of a run: what it is of, and a digest of everything that decides its results."""

import hashlib
import json
from collections.abc import Mapping

from mer_keras.names import slug


def run_id_of(experiment: str, profile: str, data_kind: str, identity: Mapping[str, object]) -> str:
    """Return the name of a run's folder.

    Args:
        experiment: its name.
        profile: name of the config's profile.
        data_kind: value of ``terms.DataKind``.
        identity: JSON-ready digests (see ``context.RunContext.identity``).
    """
    text = json.dumps(identity, sort_keys=True)
    digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    return f"{slug(experiment)}-{profile}-{data_kind}-{digest}"
