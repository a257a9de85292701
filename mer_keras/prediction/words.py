"""What is said of a bundle, and with every prediction."""

from mer_keras.bundles.bundle import Bundle
from mer_keras.bundles.card import Card, Interval
from mer_keras.prediction.result import ModelFacts
from mer_keras.video import remarks

#: What a vote is not.
NO_PROBABILITY = (
    "Shares are shares of the model's vote, not probabilities of a feeling. A class is what "
    "annotators called such a movement; it is not what a person feels."
)
#: What no number here says.
NEW_PEOPLE = "People and camera are new to the model: no number here says how often it is right."
#: Law that a user may have to know of.
LAW = (
    "In the European Union, inferring emotions of people at work or in education is prohibited, "
    "but for medical or safety reasons (AI Act, article 5(1)(f))."
)
#: What spotting is known to find, as a sentence.
EXPECT_LITTLE = f"{remarks.EXPECT_LITTLE[:1].upper()}{remarks.EXPECT_LITTLE[1:]}."
#: What stands with every prediction.
NOT_FOR = (remarks.NOT_FOR, NO_PROBABILITY, NEW_PEOPLE, LAW)


def facts_of_model(bundle: Bundle) -> ModelFacts:
    """Say what a bundle is."""
    card = bundle.card
    return ModelFacts(
        title=card.title,
        classes=card.classes,
        bundle_sha256=bundle.digest,
        members=len(card.members),
        data_kind=str(card.training.data_kind),
        databases=card.training.databases,
        clips=card.training.clips,
        subjects=card.training.subjects,
        estimate=estimate_of(card),
        matched=card.matched,
        input_remarks=tuple(
            dict.fromkeys(remark for entry in card.inputs.values() for remark in entry.remarks)
        ),
        terms=(card.terms.data, card.terms.redistribution, card.terms.use),
    )


def estimate_of(card: Card) -> str:
    """Say in a sentence what was measured, and of what; or why nothing was."""
    estimate = card.estimate
    if estimate is None:
        return f"no estimate: {card.estimate_missing or 'none was stored'}"
    shown = ", ".join(
        f"{name.upper()} {_percent(metric)}"
        for name, metric in estimate.metrics.items()
        if name in ("uf1", "uar")
    )
    others = ", ".join(f"{row.name} {100 * row.uf1:.1f}" for row in estimate.baselines)
    beside = f"; UF1 of others in that run: {others}" if others else ""
    return f"{shown} (%, 95 % interval over {estimate.subjects} people): {estimate.of}{beside}"


def matched_line(model: ModelFacts) -> str:
    """Say whether the input is made as it was for training."""
    if model.matched:
        return "Frames become the model's input as the training clips did."
    reasons = "; ".join(model.input_remarks) or "the card doesn't say how"
    return (
        "The model's input is not made as the training clips' was (serving.matched: no): "
        f"{reasons}."
    )


def _percent(metric: Interval) -> str:
    return f"{100 * metric.value:.1f} [{100 * metric.low:.1f}, {100 * metric.high:.1f}]"
