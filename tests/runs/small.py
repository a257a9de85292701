"""The smallest run that is one: seconds, six folds of two rows."""

SMALL = [
    "data.clip.size=28",
    "data.clip.frames=1",
    "data.clip.channels=3",
    "data.clip.sampling=apex",
    "train.epochs=2",
    "protocol.k=3",
    "rows.0.model=ststnet",  # the smallest
    "train.balance=none",
    "baselines=[majority]",
]


def contents(folder):
    """Every file of predictions, byte for byte."""
    root = folder / "predictions"
    return {str(f.relative_to(root)): f.read_bytes() for f in sorted(root.rglob("*.parquet"))}
