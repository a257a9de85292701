import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.errors import AnnotationError, UserError
from mer_keras.video.evaluate import (
    Annotation,
    Counts,
    Video,
    count,
    match,
    published_levels,
    read_annotations,
    score,
    strs,
)
from mer_keras.video.intervals import overlap


def intervals(*frames, video="v", **others):
    return [Annotation(video, onset, offset, **others) for onset, offset in frames]


SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda p: (p[0], p[0] + p[1])), max_size=4
)


@given(SPANS, SPANS)
def test_pairs_are_one_to_one_and_right(spotted, true):
    pairs = match(intervals(*spotted), intervals(*true))
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(overlap(spotted[i], true[j]) >= 0.5 for i, j in pairs)
    # No further pair is possible.
    left = itertools.product(
        set(range(len(spotted))) - {i for i, _ in pairs},
        set(range(len(true))) - {j for _, j in pairs},
    )
    assert all(overlap(spotted[i], true[j]) < 0.5 for i, j in left)


def test_a_second_hit_of_one_expression_is_false():
    assert count(intervals((10, 19), (11, 20)), intervals((10, 19))) == Counts(1, 1, 0)
    assert count(intervals((10, 19)), intervals((15, 34))) == Counts(0, 1, 1)  # IoU 0.2
    assert count([], intervals((1, 5))) == Counts(0, 0, 1)


def test_half_is_enough():
    assert count(intervals((0, 9)), intervals((0, 19))) == Counts(1, 0, 0)
    assert count(intervals((0, 8)), intervals((0, 19))) == Counts(0, 1, 1)


def test_counts_are_added_over_videos_before_f1():
    """One video of nine right ones, one of nine false: the mean of two F1 would be 0.5."""
    nine = [(100 * n, 100 * n + 9) for n in range(9)]
    spotted = intervals(*nine, video="a") + intervals(*nine, video="b")
    videos = [Video("a", "s1", 2.0), Video("b", "s2", 1.0)]
    (micro,) = score(spotted, intervals(*nine, video="a"), videos, resamples=200)
    assert micro.counts == Counts(9, 9, 0)
    assert micro.counts.f1 == pytest.approx(2 / 3)
    assert micro.false_positives_a_minute == pytest.approx(3)
    assert (micro.low, micro.high, micro.subjects) == (0, 1, 2)


def test_kinds_are_matched_apart_and_added():
    spotted = intervals((0, 9), kind="micro") + intervals((50, 99), kind="macro")
    true = intervals((0, 9), kind="macro") + intervals((50, 99), kind="macro")
    scores = {s.kind: s.counts for s in score(spotted, true, [Video("v", "s")])}
    assert scores == {
        "micro": Counts(0, 1, 0),
        "macro": Counts(1, 0, 1),
        "all": Counts(1, 1, 1),
    }


def test_a_video_that_nobody_listed():
    with pytest.raises(UserError, match="'other'"):
        score(intervals((0, 9), video="other"), [], [Video("v", "s")])


def test_strs_is_f1_of_spotting_times_macro_f1_of_classes():
    true = [
        Annotation("v", 0, 9, label="positive"),
        Annotation("v", 20, 29, label="negative"),
        Annotation("v", 40, 49, label="negative"),
    ]
    spotted = [
        Annotation("v", 0, 9, label="positive"),
        Annotation("v", 20, 29, label="positive"),
        Annotation("v", 70, 79, label="negative"),
    ]
    # Spotting: 2 right, 1 false, 1 missed. Classes: positive 1 right, 1 false; negative 1 missed.
    assert strs(spotted, true, [Video("v", "s")]) == pytest.approx(4 / 6 * (2 / 3 + 0) / 2)
    assert strs([], true, [Video("v", "s")]) == 0
    with pytest.raises(UserError, match="without a class"):
        strs(intervals((0, 9)), true, [Video("v", "s")])


def test_published_levels_have_a_source_each():
    levels = published_levels()
    mdmd = next(r for r in levels if (r["method"], r["database"]) == ("MDMD", "cas_me2"))
    assert (mdmd["macro"], mdmd["micro"], mdmd["all"]) == (0.120, 0.008, 0.038)
    assert all(row["source"] for row in levels)


def test_annotations_are_read_from_a_table(tmp_path):
    table = tmp_path / "truth.csv"
    table.write_text(
        "Video;Subject;Type;Onset;Offset;Emotion\n"
        "a.mp4;s1;micro-expression;5;20;joy\nb.mp4;s2;macro;1;90;\n"
    )
    found, subjects = read_annotations(table)
    assert found == [
        Annotation("a.mp4", 5, 20, "micro", "joy"),
        Annotation("b.mp4", 1, 90, "macro", ""),
    ]
    assert subjects == {"a.mp4": "s1", "b.mp4": "s2"}


@pytest.mark.parametrize(
    ("row", "words"),
    [("a,9,5,micro", "row 2.*before the onset"), ("a,1,5,tiny", "expected micro or macro")],
)
def test_annotations_that_make_no_sense(tmp_path, row, words):
    table = tmp_path / "truth.csv"
    table.write_text(f"video,onset,offset,kind\n{row}\n")
    with pytest.raises(AnnotationError, match=words):
        read_annotations(table)
