"""The top of a report: one line a table, how it stands in two words, and one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from mer_keras.config.experiment import Experiment, Published, Row
from mer_keras.evaluation.pipeline_check import SMOKE, MotionCheck
from mer_keras.names import slug
from mer_keras.report.drawn_motion import checked_rows
from mer_keras.report.scoring import RowScores, score_row, verdict
from mer_keras.report.tables import compared_name, metric_title, other_data
from mer_keras.report.view import RunView
from mer_keras.terms import DataKind

#: Tones of chips: as hoped, worth a look, neither.
GOOD, WARN, CALM = "good", "warn", "calm"
#: Profiles from the one that says most of a published number to the one that says least.
_PROFILES = {"full": 0, "quick": 1, SMOKE: 2}


@dataclass(frozen=True)
class SummaryLine:
    """How one table stands.

    Attributes:
        table: paper and table.
        anchor: names its section in links.
        status: a word or two.
        tone: ``good``, ``warn`` or ``calm``; colours the status.
        sentence: what came out.
    """

    table: str
    anchor: str
    status: str
    tone: str
    sentence: str


def summary_line(config: Experiment, views: Sequence[RunView]) -> SummaryLine:
    """Say how a table stands: by its first real run if there is one, else by drawn faces.

    Args:
        config: the experiment.
        views: its runs that a report shows, in the order of their tables.
    """
    real = [view for view in views if view.data_kind is not DataKind.SYNTHETIC]
    drawn = [view for view in views if view.data_kind is DataKind.SYNTHETIC]
    status, tone, sentence = _of_nothing(config)
    if real:
        first = min(real, key=lambda view: _PROFILES.get(view.profile, len(_PROFILES)))
        status, tone, sentence = _of_real(config, first)
    if drawn:
        of_drawn = _of_drawn(config, drawn[0])
        if real:
            sentence += f" On drawn faces, {of_drawn[2][:1].lower()}{of_drawn[2][1:]}"
        else:
            status, tone = of_drawn[:2]
            sentence = f"{of_drawn[2]} {sentence}"
    return SummaryLine(config.heading, slug(config.name), status, tone, sentence)


def _of_nothing(config: Experiment) -> tuple[str, str, str]:
    return "not run", CALM, f"No real clips of {', '.join(config.data.databases)} were run."


def _of_real(config: Experiment, view: RunView) -> tuple[str, str, str]:
    """Status, tone and sentence of a run on real clips."""
    own = [row for row in config.rows if config.plan_of(row)]
    states = {state.key: state for state in view.rows}
    scored = [
        (row, scores)
        for row in own
        if (state := states.get(slug(row.name))) and (scores := score_row(view, state))
    ]
    amounts = f"{view.manifest['n_samples']} {view.data_kind} clips"
    if view.done < view.expected:
        sentence = f"{view.done} of {view.expected} folds are done on {amounts}."
        sentence += f" {_score_sentence(*scored[-1])}" if scored else ""
        return "unfinished", WARN, sentence
    if not scored:
        return "no result", CALM, f"No row of the table was run on {amounts}."
    if other_data(config, view):
        sentence = _score_sentence(*scored[-1])
        return "other clips", CALM, f"{sentence} These are other data or clips than the paper's."
    judged = [
        (row, scores, number, word)
        for row, scores in scored
        for number in row.published
        if number.metric != "parameters"
        and (word := verdict(number, view, scores)) in ("consistent", "lower", "higher")
    ]
    if not judged:
        return "run", CALM, f"{_score_sentence(*scored[-1])} No published number is comparable."
    consistent = sum(word == "consistent" for *_, word in judged)
    row, scores, number, word = judged[-1]
    sentence = _verdict_sentence(row, scores, number, word)
    if len(judged) > 1:
        sentence = (
            f"{consistent} of {len(judged)} comparable published numbers lie in our 95 % "
            f"intervals; {sentence}"
        )
    if consistent == len(judged):
        return "consistent", GOOD, sentence
    return ("partly consistent" if consistent else "differs"), WARN, sentence


def _score_sentence(row: Row, scores: RowScores) -> str:
    uar = scores.values["uar"]
    interval = f"[{100 * uar.low:.1f}, {100 * uar.high:.1f}]"
    return f"{row.name}: UAR {100 * uar.pooled:.1f} % {interval}."


def _verdict_sentence(row: Row, scores: RowScores, number: Published, word: str) -> str:
    value = scores.of(number)
    if value is None:
        return f"{row.name}: {word}."
    interval = f"[{100 * value.low:.1f}, {100 * value.high:.1f}]"
    ours = f"{metric_title(number)} {100 * value.pooled:.1f} % {interval}"
    printed = f"published as {compared_name(number)} {number.per_cent}"
    return f"{row.name}: {ours}, {printed}: {word}."


def _of_drawn(config: Experiment, view: RunView) -> tuple[str, str, str]:
    """Status, tone and sentence of a run on drawn faces."""
    checked = [row for row in checked_rows(config, view) if not row.baseline]
    if view.profile == SMOKE:
        return "steps run", CALM, "Every step runs; profile smoke is too small to find a motion."
    if not view.moves:
        impossible = [row.name for row in checked if row.check is MotionCheck.FOUND]
        status, tone = ("motion from nowhere", WARN) if impossible else ("at chance", GOOD)
        which = (
            f"{', '.join(impossible)} found one"
            if impossible
            else "no method found one, as it must be"
        )
        return status, tone, f"Motion was taken away: {which}."
    unfinished = [row.name for row in checked if row.check is MotionCheck.UNFINISHED]
    missed = [row.name for row in checked if row.can_find and row.check is MotionCheck.NOT_FOUND]
    amount = sum(row.check is MotionCheck.FOUND for row in checked)
    sentence = f"{amount} of {len(checked)} methods found the drawn motion"
    if unfinished:
        return "unfinished", WARN, f"{sentence}; not finished: {', '.join(unfinished)}."
    if missed:
        return "motion missed", WARN, f"{sentence}; not found by {', '.join(missed)}."
    return "pipeline works", GOOD, f"{sentence}."
