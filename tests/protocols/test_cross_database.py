"""CDE, SDE, HDE and divisions by clips: against naive oracles, and by their promises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_keras.config.protocol import ProtocolConfig
from mer_keras.errors import InvariantError, ProtocolError
from mer_keras.protocols.build import build_folds, hold_back, hold_back_clips
from mer_keras.protocols.folds import Fold, FoldSet, check_folds
from mer_keras.protocols.splits import clip_split
from mer_keras.terms import Selection
from tests.protocols.test_build import naive_loso, table_of

CDE, SDE, HDE = (ProtocolConfig(name=name) for name in ("cde", "sde", "hde"))
RANDOM = ProtocolConfig(name="as_published", test_share=0.25)

entries = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 6), st.sampled_from(["x", "y", "z"])),
    min_size=12,
    max_size=70,
)


def with_database(table):
    return table.assign(database=table["sample_id"].str.split("/").str[0])


def usable(table):
    """At least two databases, with two subjects each."""
    people = table.groupby("database")["subject_id"].nunique()
    return len(people) >= 2 and people.min() >= 2


@given(entries)
def test_cde_leaves_out_one_subject_of_all_databases(drawn):
    table = with_database(table_of(drawn))
    if table["database"].nunique() < 2:
        with pytest.raises(ProtocolError, match="at least 2 databases"):
            build_folds(table, CDE, Selection.LAST_EPOCH)
        return
    folds = build_folds(table, CDE, Selection.LAST_EPOCH).folds
    assert {fold.name: set(fold.test) for fold in folds} == naive_loso(table)
    for fold in folds:
        assert set(fold.train) == set(table["sample_id"]) - set(fold.test)


@given(entries)
def test_sde_never_sees_another_database(drawn):
    table = with_database(table_of(drawn))
    if not usable(table):
        return
    folds = build_folds(table, SDE, Selection.LAST_EPOCH).folds
    assert {fold.name: set(fold.test) for fold in folds} == naive_loso(table)
    for fold in folds:
        own = fold.name.split("/")[0]
        expected = {i for i in table["sample_id"] if i.startswith(f"{own}/")} - set(fold.test)
        assert set(fold.train) == expected


@given(entries)
def test_hde_tests_each_database_by_the_others(drawn):
    table = with_database(table_of(drawn))
    if table["database"].nunique() < 2:
        return
    folds = build_folds(table, HDE, Selection.LAST_EPOCH).folds
    assert [fold.name for fold in folds] == sorted(set(table["database"]))
    for fold in folds:
        assert set(fold.test) == {i for i in table["sample_id"] if i.startswith(f"{fold.name}/")}
        assert set(fold.train) == set(table["sample_id"]) - set(fold.test)


@settings(deadline=None, max_examples=20)
@given(entries, st.sampled_from([CDE, SDE, HDE]))
def test_held_back_subjects_are_neither_trained_nor_tested(drawn, protocol):
    table = with_database(table_of(drawn))
    if not usable(table):
        return
    try:
        folds = build_folds(table, protocol, Selection.INNER_SUBJECTS).folds
    except ProtocolError as error:
        assert "need" in str(error)
        return
    owner = dict(zip(table["sample_id"], table["subject_id"], strict=True))
    for fold in folds:
        train, val, test = ({owner[i] for i in p} for p in (fold.train, fold.val, fold.test))
        assert val
        assert not train & val
        assert not (train | val) & test


def test_equal_bare_subject_ids_of_two_databases_are_two_subjects():
    table = with_database(table_of([("a", 1, "x"), ("b", 1, "x"), ("a", 2, "y"), ("b", 2, "y")]))
    folds = {fold.name: fold for fold in build_folds(table, CDE, Selection.LAST_EPOCH).folds}
    assert set(folds) == {"a/1", "a/2", "b/1", "b/2"}
    assert any(i.startswith("b/1/") for i in folds["a/1"].train)


def test_a_database_of_one_subject_has_no_sde():
    table = with_database(table_of([("a", 1, "x"), ("a", 1, "y"), ("b", 1, "x"), ("b", 2, "y")]))
    with pytest.raises(ProtocolError, match="'a' has one"):
        build_folds(table, SDE, Selection.LAST_EPOCH)


def test_a_class_that_only_one_database_has_is_said_to_be_missing_under_hde():
    table = with_database(table_of([("a", 1, "x"), ("a", 2, "only"), ("b", 1, "x"), ("b", 2, "x")]))
    folds = build_folds(table, HDE, Selection.LAST_EPOCH)
    assert "fold 1: no training sample of only" in folds.notes


class TestByClips:
    @given(entries, st.floats(0.05, 0.95), st.integers(0, 5))
    def test_the_share_is_stratified(self, drawn, share, seed):
        table = table_of(drawn)
        sizes = table["label"].value_counts()
        if sizes.max() < 2:
            return
        drawn_ids = clip_split(table, share, seed)
        assert len(set(drawn_ids)) == len(drawn_ids)
        counts = table[table["sample_id"].isin(drawn_ids)]["label"].value_counts()
        for label, size in sizes.items():
            count = counts.get(label, 0)
            if size == 1:
                assert count == 0
            else:
                assert 1 <= count <= size - 1
                assert abs(count - share * size) <= 1
        assert drawn_ids == clip_split(table, share, seed)

    def test_order_of_the_table_does_not_matter(self):
        table = table_of([("a", i % 4, "xyz"[i % 3]) for i in range(30)])
        upside_down = table.iloc[::-1].reset_index(drop=True)
        assert set(clip_split(table, 0.3, 1)) == set(clip_split(upside_down, 0.3, 1))

    def test_as_published_is_one_fold_that_says_what_it_is(self):
        table = with_database(table_of([("a", i % 4, "xyz"[i % 3]) for i in range(40)]))
        folds = build_folds(table, RANDOM, Selection.INNER_CLIPS)
        (fold,) = folds.folds
        parts = [set(fold.train), set(fold.val), set(fold.test)]
        assert set.union(*parts) == set(table["sample_id"])
        assert sum(map(len, parts)) == 40
        assert [len(part) for part in parts] == [24, 6, 10]
        assert any("subjects of tested clips were trained on" in note for note in folds.notes)
        assert not RANDOM.subject_exclusive
        assert "NOT subject-exclusive" in RANDOM.title
        other = build_folds(table, RANDOM.model_copy(update={"seed": 1}), Selection.INNER_CLIPS)
        assert set(other.folds[0].test) != parts[2]

    def test_inner_clips_keep_tested_subjects_out_where_the_protocol_does(self):
        table = with_database(table_of([("a", i % 5, "xy"[i % 2]) for i in range(40)]))
        loso = ProtocolConfig(name="loso")
        owner = dict(zip(table["sample_id"], table["subject_id"], strict=True))
        for fold in build_folds(table, loso, Selection.INNER_CLIPS).folds:
            seen = {owner[i] for i in (*fold.train, *fold.val)}
            assert fold.name not in seen
            assert {owner[i] for i in fold.val} & {owner[i] for i in fold.train}

    def test_one_clip_a_class_cannot_be_divided(self):
        with pytest.raises(ProtocolError, match="a class of 2 clips"):
            hold_back_clips(table_of([("a", 1, "x"), ("a", 2, "y")]), 0.5, 0)

    def test_by_clip_or_by_subject(self):
        table = table_of([("a", i % 8, "xy"[(i // 8) % 2]) for i in range(80)])
        owner = dict(zip(table["sample_id"], table["subject_id"], strict=True))
        for by, shared in (("clip", True), ("subject", False)):
            train, val = hold_back(table, 0.25, by)
            assert sorted([*train, *val]) == sorted(table["sample_id"])
            assert bool({owner[i] for i in train} & {owner[i] for i in val}) == shared


class TestBrokenPromises:
    table = with_database(table_of([("a", i % 4, "xy"[i % 2]) for i in range(16)]))

    def check(self, **parts):
        ids = list(self.table["sample_id"])
        ids_of = {"train": ids[:8], "val": ids[8:12], "test": ids[12:]} | parts
        fold = Fold(
            name="f",
            selection=Selection.INNER_CLIPS,
            **{part: tuple(ids) for part, ids in ids_of.items()},
        )
        check_folds(FoldSet((fold,)), self.table, subject_exclusive=False, whole=False)

    def test_subjects_may_be_shared(self):
        self.check()

    @pytest.mark.parametrize(
        ("part", "positions", "words"),
        [
            ("train", slice(0, 13), "train and in test"),
            ("val", slice(8, 13), "validation and in test"),
            ("train", slice(0, 9), "train and in validation"),
        ],
    )
    def test_clips_may_not(self, part, positions, words):
        with pytest.raises(InvariantError, match=f"clip .* stands in {words}"):
            self.check(**{part: list(self.table["sample_id"])[positions]})


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"name": "loso", "k": 3}, "no meaning"),
        ({"name": "hde", "test_share": 0.2}, "no meaning"),
        ({"name": "as_published"}, "test_share"),
        ({"name": "subject_kfold"}, "'k' is needed"),
    ],
)
def test_fields_belong_to_their_protocol(fields, complaint):
    with pytest.raises(ValueError, match=complaint):
        ProtocolConfig(**fields)
