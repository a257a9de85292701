from pathlib import Path

from mer_keras.clips.sample import Sample, samples_of
from mer_keras.databases.samples import make_samples


def test_rows_of_the_table_become_samples_in_its_order():
    rows = [
        {"clip": "b", "path": "data/b", "onset": 3, "apex": 5, "offset": 9, "fps": 200},
        {"clip": "a", "path": "data/a"},
    ]
    shared = {"database": "demo", "subject": "01", "emotion": "fear", "data_kind": "synthetic"}
    table = make_samples([{**shared, **row} for row in rows], source="test").table
    first, second = samples_of(table)
    assert first == Sample("demo/01/a", "demo", "01/a", Path("data/a"))
    assert second == Sample("demo/01/b", "demo", "01/b", Path("data/b"), 3, 5, 9, 200.0)
    for number in (second.onset, second.apex, second.offset):
        assert type(number) is int
    assert type(second.fps) is float
