"""A bundle's card as markdown, which travels in the file and which ``bundle show`` prints."""

from mer_keras.bundles.card import Card, Estimate, Spread
from mer_keras.terms import WATERMARK


def card_text(card: Card) -> str:
    """Return a bundle's card as markdown."""
    parts = [f"# {card.title}", *([WATERMARK] if card.is_synthetic else [])]
    parts += [
        _what(card),
        _estimate(card.estimate) if card.estimate else f"No estimate: {card.estimate_missing}.",
        _inputs(card),
        _training(card),
        f"Data: {card.terms.data}.\nPassing on: {card.terms.redistribution}.\n{card.terms.use}",
    ]
    return "\n\n".join(parts) + "\n"


def _what(card: Card) -> str:
    method = card.method
    kind = "folds" if card.members[0].fold is not None else "seeds"
    lines = [
        f"- method: {method.name} ({method.config.title})",
        f"- classes: {', '.join(card.classes)}",
        f"- members: {len(card.members)}, one for each of its {kind}",
    ]
    if method.parameters is not None:
        lines.append(f"- weights of a member: {method.parameters:,}")
    if method.given_weights:
        lines.append("- its weights were trained elsewhere, on clips that nobody here knows")
    if method.config.shuffled_labels:
        lines.append("- taught permuted labels: it can be no better than chance")
    return "\n".join(lines)


def _estimate(estimate: Estimate) -> str:
    dagger = "" if estimate.subject_exclusive else ", tested people were trained on"
    lines = [
        f"Estimate, of {estimate.of}.",
        "",
        f"- run {estimate.run_id}: {estimate.protocol}{dagger}, selection {estimate.selection}, "
        f"{estimate.clips} clips of {estimate.subjects} people, {estimate.seeds} seed(s)",
    ]
    for metric in ("uf1", "uar"):
        value = estimate.metrics[metric]
        lines.append(
            f"- {metric.upper()} {100 * value.value:.2f} "
            f"[{100 * value.low:.2f}, {100 * value.high:.2f}]"
        )
    lines += [
        f"- {database} alone: UF1 {100 * values['uf1'].value:.2f}, "
        f"UAR {100 * values['uar'].value:.2f}"
        for database, values in estimate.databases.items()
    ]
    lines += [
        f"- {entry.name}: {entry.clips} tested, recall {100 * entry.recall:.1f}, precision "
        f"{100 * entry.precision:.1f}, F1 {100 * entry.f1:.1f}"
        for entry in estimate.classes
    ]
    lines += [
        f"- beside it, {other.name}: UF1 {100 * other.uf1:.2f}, UAR {100 * other.uar:.2f}"
        for other in estimate.baselines
    ]
    if estimate.warning:
        lines.append(f"- the intervals: {estimate.warning}")
    return "\n".join(lines)


def _inputs(card: Card) -> str:
    lines = []
    for name in card.reads:
        entry = card.inputs[name]
        shape = "x".join("any" if side is None else str(side) for side in entry.shape)
        flow = f", channels {', '.join(entry.flow.channels)}" if entry.flow else ""
        matched = "as in training" if entry.matched else "not as in training"
        lines.append(f"- input {name}: {entry.clip.kind} of {shape}{flow}; from a video: {matched}")
        lines += [f"  - {remark}" for remark in entry.remarks]
    if card.method.recipe.standardise and card.method.config.network is not None:
        lines.append("- every input is standardised by the training clips' mean and deviation")
    return "\n".join(lines)


def _training(card: Card) -> str:
    training, footage = card.training, card.footage
    counts = ", ".join(f"{name} {count}" for name, count in training.class_counts.items())
    return "\n".join(
        [
            f"- trained on {training.clips} clips of {training.subjects} people of "
            f"{', '.join(training.databases)} ({training.data_kind} data): {counts}",
            f"- frames a second: {_range(footage.fps)}; seconds: {_range(footage.seconds)}; "
            f"frames: {_range(footage.frames)}",
            f"- epochs and choices: {training.epochs}",
            f"- experiment {training.experiment}, row {training.row}, profile {training.profile}, "
            f"config {training.config_digest[:12]}, samples {training.samples_digest[:12]}",
            f"- mer-keras {training.versions.get('mer-keras', 'unknown')}, {training.backend}, "
            f"code {training.git}",
        ]
    )


def _range(spread: Spread | None) -> str:
    if spread is None:
        return "not known"
    if spread.least == spread.greatest:
        return f"{spread.median:.4g}"
    return f"{spread.least:.4g} to {spread.greatest:.4g}, median {spread.median:.4g}"
