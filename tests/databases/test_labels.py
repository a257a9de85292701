"""Label schemes: the papers' classes and counts, and nothing guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.databases.label_schemes import (
    fitting_schemes,
    get_scheme,
    known_schemes,
    labels_remedy,
)
from mer_keras.databases.labels import LabelScheme, apply_scheme, plain_emotion
from mer_keras.databases.samples import Excluded, Samples, make_samples
from mer_keras.errors import AnnotationError, InvariantError, UserError

# clips per emotion as the databases' authors print them
SAMM = {
    "anger": 57,
    "other": 26,
    "happiness": 26,
    "surprise": 15,
    "contempt": 12,
    "disgust": 9,
    "fear": 8,
    "sadness": 6,
}
MMEW = {
    "happiness": 36,
    "anger": 8,
    "surprise": 89,
    "disgust": 72,
    "fear": 16,
    "sadness": 13,
    "others": 66,
}
MEGC = {"negative": 250, "positive": 109, "surprise": 83}


def samples_of(emotions, **options):
    rows = [
        {
            "database": "db",
            "subject": f"{k % 5}",
            "clip": f"{emotion}_{k}",
            "path": "p",
            "emotion": emotion,
            "data_kind": "licensed",
        }
        for emotion, count in emotions.items()
        for k in range(count)
    ]
    return make_samples(rows, source="table", **options)


@pytest.mark.parametrize(
    ("name", "emotions", "classes", "counts"),
    [
        ("samm3", SAMM, "positive negative surprise", (26, 92, 15)),
        ("samm5", SAMM, "happiness other anger contempt surprise", (26, 26, 57, 12, 15)),
        (
            "samm7",
            SAMM,
            "happiness anger contempt disgust fear sadness surprise",
            (26, 57, 12, 9, 8, 6, 15),
        ),
        ("mmew5", MMEW, "happiness surprise disgust fear sadness", (36, 89, 72, 16, 13)),
        ("megc3", MEGC, "negative positive surprise", (250, 109, 83)),
    ],
)
def test_papers_classes_and_counts(name, emotions, classes, counts):
    scheme = get_scheme(name)
    assert scheme.classes == tuple(classes.split())
    assert scheme.counts == dict(zip(scheme.classes, counts, strict=True))
    samples = apply_scheme(samples_of(emotions), scheme)
    assert samples.class_counts() == dict(scheme.counts)
    assert samples.warnings == ()
    assert len(samples.table) + len(samples.excluded) == sum(emotions.values())
    assert len(samples.table) == sum(counts)


def test_every_scheme_is_named_by_its_key_and_has_a_source():
    for name, scheme in known_schemes().items():
        assert scheme.name == name
        assert scheme.title
        assert scheme.source


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        (
            "samm3",
            {
                "happiness": "positive",
                "anger": "negative",
                "contempt": "negative",
                "disgust": "negative",
                "fear": "negative",
                "sadness": "negative",
                "surprise": "surprise",
            },
        ),
        ("megc3", {"negative": "negative", "positive": "positive", "surprise": "surprise"}),
    ],
)
def test_mapping(name, pairs):
    samples = apply_scheme(samples_of(dict.fromkeys(pairs, 1)), get_scheme(name))
    assert dict(zip(samples.table["emotion"], samples.table["label"], strict=True)) == pairs


NAMED = [name for name, scheme in known_schemes().items() if scheme.column == "emotion"]
emotions = st.sampled_from(["anger", "Happy ", "others", "惊讶", "Surprise", "fear", "positive"])


@given(
    st.dictionaries(
        emotions | st.text("angerhpyH \u60ca", min_size=1), st.integers(1, 3), min_size=1
    ),
    st.sampled_from(NAMED),
)
def test_every_clip_gets_its_class_or_a_reason_or_all_stops(counts, name):
    counts = {emotion: n for emotion, n in counts.items() if emotion.strip()}
    if not counts:
        return
    scheme = get_scheme(name)
    before = samples_of(counts)
    known = {*scheme.mapping, *scheme.leaves_out}
    strange = [e for e in before.table["emotion"] if plain_emotion(e) not in known]
    try:
        after = apply_scheme(before, scheme)
    except AnnotationError as error:
        assert strange or "leaves out all" in str(error)
        return
    assert not strange
    assert len(after.table) + len(after.excluded) == len(before.table)
    for emotion, label in zip(after.table["emotion"], after.table["label"], strict=True):
        assert scheme.mapping[plain_emotion(emotion)] == label


@given(emotions | st.text())
def test_an_emotions_plain_name_is_its_own(raw):
    assert plain_emotion(plain_emotion(raw)) == plain_emotion(raw)
    assert plain_emotion(f" {raw.upper()} ") in (plain_emotion(raw), plain_emotion(raw.upper()))


def test_left_out_clips_are_listed_with_the_reason():
    before = samples_of(
        {"anger": 1, "other": 1}, excluded=[Excluded("db", "x", "why")], warnings="w"
    )
    after = apply_scheme(before, get_scheme("samm3"))
    assert after.excluded[0] == Excluded("db", "x", "why")
    assert after.excluded[1] == Excluded("db", "other_0", "emotion 'other' is left out of samm3")
    assert after.warnings[0] == "w"
    assert after.ids == ["db/0/anger_0"]


@pytest.mark.parametrize("spelling", ["other", "others", "Other", "Others "])
def test_spellings_of_other(spelling):
    samples = apply_scheme(samples_of({spelling: 1, "anger": 1}), get_scheme("samm5"))
    assert sorted(samples.table["label"]) == ["anger", "other"]
    assert len(apply_scheme(samples_of({spelling: 1, "anger": 1}), get_scheme("samm7")).table) == 1


def test_repression_is_left_out_of_mmew():
    samples = apply_scheme(samples_of({"repression": 2, "fear": 1}), get_scheme("mmew5"))
    assert len(samples.excluded) == 2


def test_unknown_emotion():
    with pytest.raises(AnnotationError) as caught:
        apply_scheme(samples_of({"anger": 2, "happines": 3}), get_scheme("samm3"))
    assert caught.value.exit_code == 2
    for words in ("'db/0/happines_0'", "'happines'", "did you mean 'happiness'", "3 such clip"):
        assert words in str(caught.value)


def test_other_counts_are_a_warning_and_stay():
    samples = apply_scheme(samples_of(SAMM | {"surprise": 14}), get_scheme("samm3"))
    assert samples.class_counts()["surprise"] == 14
    (warning,) = samples.warnings
    assert "surprise 14 (published: 15)" in warning
    assert "negative" not in warning


def test_class_without_clips_is_named():
    samples = apply_scheme(samples_of({"anger": 57}), get_scheme("samm5"))
    assert "happiness 0 (published: 26)" in samples.warnings[0]


def test_nothing_left():
    with pytest.raises(AnnotationError, match="leaves out all 3 clips"):
        apply_scheme(samples_of({"other": 3}), get_scheme("samm3"))


def test_samples_are_not_changed():
    before = samples_of({"anger": 1, "other": 1})
    apply_scheme(before, get_scheme("samm3"))
    assert isinstance(before, Samples)
    assert before.table["label"].tolist() == ["", ""]
    assert len(before.table) == 2


def test_no_such_scheme():
    with pytest.raises(UserError, match=r"'samm4' \(did you mean 'samm"):
        get_scheme("samm4")


@pytest.mark.parametrize(
    "changes",
    [
        {"mapping": {"a": "x"}},
        {"mapping": {"a": "x", "b": "y", "c": "z"}},
        {"leaves_out": frozenset({"a"})},
        {"counts": {"x": 1}},
    ],
)
def test_contradictory_scheme(changes):
    whole = {"name": "n", "title": "t", "classes": ("x", "y"), "mapping": {"a": "x", "b": "y"}}
    with pytest.raises(InvariantError):
        LabelScheme(**{**whole, "source": "s", **changes})


@pytest.mark.parametrize(
    ("classes", "mapping"),
    [
        (["joy", "fear"], {"joy": "joy", "fear": "fear"}),
        ({"up": ["joy", "calm"], "down": ["fear"]}, {"joy": "up", "calm": "up", "fear": "down"}),
    ],
)
def test_a_file_may_give_the_emotions_of_each_class_or_classes_that_are_emotions(classes, mapping):
    scheme = LabelScheme(name="n", title="t", source="s", classes=classes)
    assert scheme.classes == tuple(classes)
    assert scheme.mapping == mapping


def test_an_emotion_in_two_classes_is_an_error():
    with pytest.raises(InvariantError, match="n: an emotion in two classes"):
        LabelScheme(name="n", title="t", source="s", classes={"x": ["a", "b"], "y": ["b"]})


@pytest.mark.parametrize(
    ("raw", "emotion"),
    [
        ("Others", "other"),
        (" Happy ", "happiness"),
        ("高兴", "happiness"),
        ("厌恶", "disgust"),
        ("惊讶", "surprise"),
        ("压抑", "repression"),
        ("tense", "tense"),
    ],
)
def test_an_emotion_has_one_name_whatever_a_release_calls_it(raw, emotion):
    assert plain_emotion(raw) == emotion


def test_schemes_that_fit_know_every_emotion_and_leave_few_out():
    samples = samples_of({"happiness": 4, "surprise": 3, "other": 2})
    schemes = fitting_schemes(samples)
    for scheme in schemes:
        labelled = apply_scheme(samples, scheme)
        assert labelled.table["label"].nunique() > 1
    left_out = [len(samples.ids) - len(apply_scheme(samples, s).ids) for s in schemes]
    assert left_out == sorted(left_out)
    assert "samm3" in {scheme.name for scheme in schemes}
    assert {s.name for s in known_schemes().values()} - {s.name for s in schemes}


def test_the_remedy_is_an_option_with_its_classes():
    remedy = labels_remedy(samples_of({"happiness": 4, "anger": 3, "surprise": 1}))
    assert remedy.startswith("label schemes that know all emotions of db: --set data.labels=")
    name, _, classes = remedy.partition("--set data.labels=")[2].split(";")[0].partition(" (")
    assert ", ".join(get_scheme(name).classes) == classes.rstrip(")")
    assert "mer-keras data add TABLE --classes" in labels_remedy(
        samples_of({"ennui": 3, "envy": 1})
    )
    assert "one emotion: classes need two" in labels_remedy(samples_of({"anger": 3}))


@pytest.mark.parametrize(("published", "lines"), [(3, ()), (4, ("n: 3 clips (published: 4)",))])
def test_another_number_of_clips_than_published_is_told(published, lines):
    scheme = LabelScheme(name="n", title="t", source="s", classes=["a", "b"], clips=published)
    assert apply_scheme(samples_of({"a": 2, "b": 1}), scheme).warnings == lines
