"""Reading a bundle: everything that can be checked is checked before it predicts anything."""

from pathlib import Path

from mer_keras.bundles import packing
from mer_keras.bundles.bundle import Bundle, method_of, plan_of
from mer_keras.bundles.card import PROBE, Card
from mer_keras.bundles.probe import check_probe
from mer_keras.errors import MerKerasError, UserError
from mer_keras.methods.registry import check_known
from mer_keras.training.learned import Learned, from_bytes
from mer_keras.training.quiet_start import import_keras

#: Most weights of a network that is built for a bundle: the largest of ``models.registry`` has 403
#: million. In float32 so many take 1.8 GB, which a file of ``packing.MOST_BYTES`` can hold.
MOST_PARAMETERS = 450_000_000


def load_bundle(path: Path | str, expect: str | None = None) -> Bundle:
    """Read a bundle.

    Its form, the digests of its members and its names are checked first, then the size of its
    network before that is built, then its weights; last it must answer its own probe.

    Args:
        path: the file.
        expect: SHA-256 that the file must have, or its first 12 digits or more. Digests within the
            file say that it is whole; only this one says that it is the one that was meant.

    Raises:
        UserError: saying what is wrong with it.
    """
    packed = packing.read(Path(path), expect)
    card = packed.card
    if card.method.config.network is not None:
        import_keras()
    check_known(plan_of(card))
    learned = [
        from_bytes(packed.members[member.file], f"{path}: {member.file}") for member in card.members
    ]
    _check_size(card, learned, path)
    bundle = Bundle(card, learned, packed.digest)
    check_probe(bundle, packed.members[PROBE], f"{path}: {PROBE}")
    return bundle


def _check_size(card: Card, learned: list[Learned], path: Path | str) -> None:
    """Compare a network's size with its weights before it is built.

    Raises:
        UserError: it has more weights than is allowed, or others than are stored.
    """
    network = card.method.config.network
    if network is None:
        method_of(card)
        return
    from mer_keras.models.counting import count_unbuilt

    shapes = tuple(card.inputs[name].shape for name in card.reads)
    if any(None in shape for shape in shapes):
        raise UserError(f"{path}: a network can't read clips whose length is open")
    try:
        count = count_unbuilt(
            network.model,
            shapes[0] if len(shapes) == 1 else shapes,  # type: ignore[arg-type]
            len(card.classes),
            **network.arguments,
        )
    except MerKerasError:
        raise
    except Exception as error:  # Keras raises many kinds for values that no layer takes.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{path}: network {network.model!r} can't be built with its arguments: {reason}"
        ) from error
    if count > MOST_PARAMETERS:
        raise UserError(
            f"{path}: its network would have {count:,} weights, expected {MOST_PARAMETERS:,} at "
            "most"
        )
    for member, of_member in zip(card.members, learned, strict=True):
        stored = sum(
            array.size
            for name, array in of_member.arrays.items()
            if not name.startswith("standardise")
        )
        if stored != count:
            raise UserError(
                f"{path}: {member.file} holds {stored:,} numbers, and its network has {count:,} "
                "weights"
            )
