"""Digests of the files of a contribution."""

import hashlib


def content_digest(text: str) -> str:
    """Digest of a file's text, by which ``contribution.json`` binds it."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
