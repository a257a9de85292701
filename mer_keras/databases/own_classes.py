"""Labels of a user's own data: classes by a small YAML file, and a check of the spelling."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path

from mer_keras.config.validation import validated
from mer_keras.config.yaml_text import Tree, read_yaml
from mer_keras.databases.labels import LabelScheme, known_emotions, plain_emotion
from mer_keras.databases.samples import ClipAnnotation
from mer_keras.errors import AnnotationError, ConfigError, InvariantError, UserError, did_you_mean
from mer_keras.terms import UNLABELLED

_EXAMPLE = "classes: {positive: [happiness], negative: [anger, fear]}"
#: A label that is like one which so many times as many clips have is taken for a slip.
_RARE = 5
#: Least likeness of two words, of 1, that are taken for one that is misspelt.
_ALIKE = 0.8
#: What programs write into a cell that is empty.
_NOTHING = frozenset({"nan", "none", "null", "n/a", "na", "n.a.", "-", "?", "undefined"})


def read_classes(path: Path, database: str) -> LabelScheme:
    """Read which emotions of a user's own data are which class.

    Args:
        path: a YAML file with ``classes``: a list of emotions, or each class with its emotions.
            ``leaves_out`` (emotions whose clips are not used), ``name``, ``title`` and
            ``min_frames`` may be there.
        database: what the user calls the data; the scheme's default name begins with it.

    Raises:
        UserError: the file is absent or breaks this form.
    """
    try:
        tree = read_yaml(path)
        if not isinstance(tree, dict) or not isinstance(tree.get("classes"), dict | list):
            raise UserError(f"{path}: expected classes, such as {_EXAMPLE}")
        _check_classes(tree, path)
        number = len(tree["classes"])
        defaults = {
            "name": f"{database}_{number}",
            "title": f"{database}, {number} classes",
            "source": f"own classes ({path.name})",
        }
        return validated(LabelScheme, {**defaults, **_in_plain_words(tree)}, str(path))
    except (ConfigError, InvariantError) as error:
        raise UserError(f"{error}; expected a file such as {_EXAMPLE}") from error


def _check_classes(tree: Tree, path: Path) -> None:
    """Refuse what YAML made of the classes where it likely isn't what was meant.

    Raises:
        UserError: a class or emotion is no text or number, a class has no emotion or the name for
            clips without one, or there is only one class.
    """
    classes = tree["classes"]
    if len(classes) < 2:
        raise UserError(f"{path}: {len(classes)} class, expected two or more, such as {_EXAMPLE}")
    members = (
        {name: _listed(classes[name]) for name in classes} if isinstance(classes, dict) else {}
    )
    for name, emotions in members.items():
        if emotions in ([], [None]):
            raise UserError(f"{path}: class {name!r} has no emotion: expected {_EXAMPLE}")
    left_out = _listed(tree.get("leaves_out", []))
    for word in [*classes, *(emotion for listed in members.values() for emotion in listed)]:
        if isinstance(word, str) and plain_emotion(word) == UNLABELLED:
            raise UserError(
                f"{path}: {word!r} is the name for clips without an emotion, which have no class: "
                "remove it"
            )
    for word in [*classes, *(e for listed in members.values() for e in listed), *left_out]:
        # YAML 1.1 takes yes, no, on and off for true and false.
        if isinstance(word, bool) or not isinstance(word, str | int):
            raise UserError(
                f"{path}: {word!r} as a class or an emotion: expected a word, such as {_EXAMPLE}; "
                "put yes, no, on and off into quotes"
            )


def _in_plain_words(tree: Tree) -> Tree:
    """Write emotions by their one name, as they are compared."""
    classes = tree["classes"]
    if isinstance(classes, list):
        classes = {str(emotion): [emotion] for emotion in classes}
    return {
        **tree,
        "classes": {
            str(name): [plain_emotion(str(emotion)) for emotion in _listed(emotions)]
            for name, emotions in classes.items()
        },
        "leaves_out": [plain_emotion(str(e)) for e in _listed(tree.get("leaves_out", []))],
    }


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


def check_spelling(
    clips: Sequence[ClipAnnotation], source: Path, scheme: LabelScheme | None = None
) -> list[str]:
    """Check that labels are spelt as they are meant.

    Args:
        clips: of a user's own data.
        source: their table or folder, for errors.
        scheme: their classes, where these were given: it must name every label.

    Returns:
        A remark on labels that the suite doesn't know, where no classes were given.

    Raises:
        AnnotationError: a label is in no class, or likely a slip of another one.
    """
    rows: dict[str, list[ClipAnnotation]] = defaultdict(list)
    for clip in clips:
        if clip.emotion != UNLABELLED:
            rows[plain_emotion(clip.emotion)].append(clip)
    counts = Counter({label: len(of_label) for label, of_label in rows.items()})
    named = {*scheme.mapping, *scheme.leaves_out} if scheme else set[str]()
    known = named or known_emotions()
    strange = sorted(counts.keys() - known)
    for label in strange:
        first = rows[label][0]
        where = f"row {first.row}" if first.row else f"clip {first.subject}/{first.clip}"
        if label in _NOTHING:
            raise AnnotationError(
                f"{source}: {where}: emotion {label!r}, which programs write for an empty cell and "
                f"{counts[label]} clip(s) have: leave the cell empty or write {UNLABELLED!r} where "
                "the emotion isn't known, or name it in the file of classes (--classes)"
            )
        likely = _likely(label, counts, known)
        if likely or scheme is not None:
            hint = f" (did you mean {likely!r}?)" if likely else did_you_mean(label, named)
            expected = f": expected one of {', '.join(sorted(named))}" if scheme else ""
            raise AnnotationError(
                f"{source}: {where}: emotion {label[:60]!r}{hint}, which {counts[label]} clip(s) "
                f"have{expected}; correct the label, or name it in the file of classes (--classes)"
            )
    if not strange:
        return []
    labels = ", ".join(f"{label!r} ({counts[label]} clips)" for label in strange[:10])
    return [f"labels of your own: {labels}; say which classes they are with --classes"]


def _likely(label: str, counts: Counter[str], known: Collection[str]) -> str:
    """Return the word that a label is likely a slip of; empty if there is none."""
    frequent = [other for other, count in counts.items() if count >= _RARE * counts[label]]
    meant = {*known, *frequent, UNLABELLED} - {label}
    alike = get_close_matches(label, meant, n=1, cutoff=_ALIKE)
    return alike[0] if alike else ""
