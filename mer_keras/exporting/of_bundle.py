"""The network of a bundle in another program's format, with what its users must know."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mer_keras.bundles.bundle import Bundle
from mer_keras.bundles.card import Card
from mer_keras.config.inputs import Clip
from mer_keras.errors import UserError
from mer_keras.exporting.export import Exported, export_network
from mer_keras.methods.network import NetworkMethod
from mer_keras.models.registry import get_spec

if TYPE_CHECKING:
    import keras

#: Clips that an exported network is tried on.
_CLIPS = 2


def export_bundle(bundle: Bundle, form: str, path: Path, member: int = 0) -> Exported:
    """Export a network of a bundle, with the standardising of its inputs in front of it.

    Args:
        bundle: of a network.
        form: ``onnx``, ``litert``, ``saved_model`` or ``keras``.
        path: the file to write; its description stands beside it.
        member: which of the bundle's fitted networks.

    Raises:
        UserError: the method is no network of float32, there is no such member, or the format can't
            hold the network; nothing is written then.
    """
    card = bundle.card
    network_config = card.method.config.network
    if network_config is None:
        raise UserError(
            f"{card.title} can't be exported: it is no network; its bundle is read by this program"
        )
    if card.method.recipe.precision != "float32":
        raise UserError(
            f"{card.title} can't be exported: it computes in {card.method.recipe.precision}, "
            "expected float32"
        )
    if not 0 <= member < len(card.members):
        raise UserError(f"no member {member}: the bundle has {len(card.members)}, from 0")
    network = _network(bundle, member)
    module = get_spec(network_config.model).builder.partition(":")[0]
    imports = [module, "mer_keras.training.standardise"]
    facts = _facts(bundle, member) | ({"imports": imports} if form == "keras" else {})
    return export_network(network, _probe(card), form, path, facts)


def _network(bundle: Bundle, member: int) -> "keras.Model":
    """What maps clips to probabilities, under the name of the network."""
    import keras

    method = bundle.method(member)
    if not isinstance(method, NetworkMethod):
        raise UserError(f"{bundle.card.title} can't be exported: it is no network")
    whole = method.trainer.model
    inputs = list(whole.inputs)
    name = method.trainer.network.name
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], whole.outputs[0], name=name)


def _probe(card: Card) -> list[NDArray[np.float32]]:
    """Noise within the ranges of the training clips."""
    generator = np.random.default_rng(0)
    clips = []
    for name in card.reads:
        entry = card.inputs[name]
        shape = (_CLIPS, *(side or 1 for side in entry.shape))
        clips.append(generator.uniform(entry.low, entry.high, shape).astype(np.float32))
    return clips


def _facts(bundle: Bundle, member: int) -> dict[str, object]:
    """What a user of the exported network must know, JSON-ready."""
    card = bundle.card
    recipes = [
        {
            "name": name,
            "made_by": card.inputs[name].clip.model_dump(mode="json"),
            "from_video": _dumped(card.inputs[name].serving),
            "matched": card.inputs[name].matched,
            "least": card.inputs[name].low,
            "greatest": card.inputs[name].high,
        }
        for name in card.reads
    ]
    return {
        "title": card.title,
        "classes": list(card.classes),
        "clips": recipes,
        "footage": card.footage.model_dump(mode="json"),
        "bundle_sha256": bundle.digest,
        "member": member,
        "members": len(card.members),
        "data_kind": str(card.training.data_kind),
        "terms": card.terms.model_dump(mode="json"),
    }


def _dumped(clip: Clip | None) -> dict[str, object] | None:
    return None if clip is None else clip.model_dump(mode="json")
