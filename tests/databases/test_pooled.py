"""Databases put together: the papers' counts, protocol by protocol."""

import pytest

from mer_keras.config.protocol import ProtocolConfig
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import apply_scheme
from mer_keras.databases.registry import load
from mer_keras.databases.samples import Samples, pool
from mer_keras.errors import AnnotationError
from mer_keras.protocols.build import build_folds
from mer_keras.terms import DataKind, Selection

pytestmark = pytest.mark.slow

OBJECTIVE = {"casme2": "objective5", "samm": "objective5"}
THREE = {"casme2": "cde3_casme2", "samm": "cde3_samm", "smic": "smic3"}


@pytest.fixture
def pooled(sketched):
    def make(schemes):
        parts = [
            apply_scheme(load(name, sketched(name)), get_scheme(scheme))
            for name, scheme in schemes.items()
        ]
        return pool(parts)

    return make


def folds_of(samples, name):
    return build_folds(samples.table, ProtocolConfig(name=name), Selection.LAST_EPOCH).folds


def test_micro_attention_pools_253_clips(pooled):
    """Its Table 5 has rows over 49, 28, 119, 34 and 23 clips."""
    samples = pooled(OBJECTIVE)
    assert samples.class_counts() == {
        "happiness": 49,
        "surprise": 28,
        "anger": 119,
        "disgust": 34,
        "sadness": 23,
    }
    tested = [len(fold.test) for fold in folds_of(samples, "cde")]
    assert sum(tested) == 253
    assert len(tested) == samples.table["subject_id"].nunique()


def test_holdout_database_trains_on_one_and_tests_the_other(pooled):
    casme2, samm = folds_of(pooled(OBJECTIVE), "hde")
    assert (casme2.name, len(casme2.train), len(casme2.test)) == ("casme2", 68, 185)
    assert (samm.name, len(samm.train), len(samm.test)) == ("samm", 185, 68)


def test_dense_mixed_attention_pools_three_databases(pooled):
    """Its text prints 447 clips; its Table 2, applied to the databases, gives these."""
    samples = pooled(THREE)
    counts = samples.table["database"].value_counts()
    assert dict(counts) == {"casme2": 147, "samm": 133, "smic": 164}
    assert len(folds_of(samples, "cde")) == len(folds_of(samples, "sde"))
    for fold in folds_of(samples, "sde"):
        assert len({i.split("/")[0] for i in (*fold.train, *fold.test)}) == 1


def test_the_composite_is_one_database_that_holds_three(sketched):
    samples = apply_scheme(load("megc2019", sketched("megc2019")), get_scheme("megc3"))
    folds = folds_of(samples, "cde")
    assert len(folds) == 68
    assert sum(len(fold.test) for fold in folds) == 442
    assert [len(fold.test) for fold in folds_of(samples, "hde")] == [145, 133, 164]


def test_the_same_number_in_two_databases_is_two_people(pooled):
    samples = pooled(OBJECTIVE)
    assert samples.table["subject_id"].nunique() > samples.table["subject"].nunique() or set(
        samples.table.groupby("subject")["database"].nunique()
    ) == {1}
    for fold in folds_of(samples, "cde"):
        assert {i.rsplit("/", 1)[0] for i in fold.test} == {fold.name}


def test_everything_of_the_parts_is_kept(pooled):
    samples = pooled(THREE)
    assert list(samples.table["sample_id"]) == sorted(samples.table["sample_id"])
    assert len(samples.editions) >= 2
    assert {item.database for item in samples.excluded} == {"casme2", "samm"}


def test_kinds_are_never_mixed(pooled):
    samples = pooled({"smic": "smic3"})
    real = samples.table.assign(data_kind=DataKind.LICENSED, database="samm")
    real["sample_id"] = "samm/" + real["subject"] + "/" + real["clip"]
    real["subject_id"] = "samm/" + real["subject"]
    with pytest.raises(AnnotationError, match="one kind of data"):
        pool([samples, Samples(real)])
