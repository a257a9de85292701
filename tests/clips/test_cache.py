import os
import threading

import numpy as np
import pytest

from mer_keras.clips import cache
from mer_keras.errors import FrameError


@pytest.fixture
def sources(tmp_path):
    paths = [tmp_path / "data" / f"{n}.bin" for n in range(3)]
    paths[0].parent.mkdir()
    for number, path in enumerate(paths):
        path.write_bytes(bytes([number]) * 10)
    return paths


def total(contents):
    return np.array([sum(data) for data in contents], np.int64), {"files": len(contents)}


def never(_contents):
    pytest.fail("computed although the cache holds it")


def never_read(_path):
    pytest.fail("a source was opened")


def entries():
    return sorted((cache.root() / "arrays-2").glob("*/*"))


def test_the_first_call_computes(sources):
    entry = cache.fetch(sources, "total", {}, total)
    assert entry.array.tolist() == [0, 10, 20]
    assert entry.facts == {"files": 3}
    assert entry.not_stored == ""


def test_the_second_call_opens_no_source(sources, monkeypatch):
    first = cache.fetch(sources, "total", {"a": 1}, total)
    monkeypatch.setattr(cache, "read_bytes", never_read)
    second = cache.fetch(sources, "total", {"a": 1}, never)
    np.testing.assert_array_equal(second.array, first.array)
    assert second.array.dtype == first.array.dtype
    assert second.facts == first.facts


@pytest.mark.parametrize(("step", "params"), [("total", {"a": 2}), ("other", {"a": 1})])
def test_another_step_or_parameter_is_computed_beside_the_first(sources, step, params):
    cache.fetch(sources, "total", {"a": 1}, total)
    changed = cache.fetch(sources, step, params, lambda _: (np.zeros(1), {}))
    assert changed.array.tolist() == [0]
    assert cache.fetch(sources, "total", {"a": 1}, never).array.tolist() == [0, 10, 20]


def test_the_order_of_parameters_is_nothing_and_that_of_sources_counts(sources):
    cache.fetch(sources, "total", {"a": 1, "b": 2}, total)
    cache.fetch(sources, "total", {"b": 2, "a": 1}, never)
    assert cache.fetch(sources[::-1], "total", {"a": 1, "b": 2}, total).array[0] == 20


def test_a_changed_file_is_seen(sources):
    cache.fetch(sources, "total", {}, total)
    sources[1].write_bytes(b"\7" * 10)
    os.utime(sources[1], ns=(1, 1))
    assert cache.fetch(sources, "total", {}, total).array.tolist() == [0, 70, 20]


def test_a_moved_or_touched_database_is_hashed_and_not_computed(sources, tmp_path):
    cache.fetch(sources, "total", {}, total)
    os.utime(sources[0], ns=(1, 1))
    cache.fetch(sources, "total", {}, never)
    sources[0].parent.rename(tmp_path / "moved")
    moved = [tmp_path / "moved" / path.name for path in sources]
    assert cache.fetch(moved, "total", {}, never).array.tolist() == [0, 10, 20]


def test_equal_names_sizes_and_times_in_two_folders_are_two_clips(sources, tmp_path):
    other = tmp_path / "other" / sources[2].name
    other.parent.mkdir()
    other.write_bytes(b"\1" * 10)
    for path in (sources[2], other):
        os.utime(path, ns=(5, 5))
    assert cache.fetch([sources[2]], "total", {}, total).array.tolist() == [20]
    assert cache.fetch([other], "total", {}, total).array.tolist() == [10]


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "facts"])
def test_a_damaged_entry_is_computed_anew(sources, damage):
    cache.fetch(sources, "total", {}, total)
    (path,) = entries()
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[-3] ^= 1
    elif damage == "facts":
        data[data.index(b"files")] ^= 1
    else:
        data = data[: len(data) // 2 if damage == "truncate" else 0]
    path.write_bytes(data)
    assert cache.fetch(sources, "total", {}, total).array.tolist() == [0, 10, 20]
    assert cache.fetch(sources, "total", {}, never).array.tolist() == [0, 10, 20]


@pytest.mark.parametrize("level", ["stats-2", "arrays-2"])
def test_an_entry_in_the_place_of_another_one_is_not_taken(sources, level):
    """As a disk that mixes up its blocks, or a copy of a cache, may leave it."""
    cache.fetch(sources[1:2], "total", {}, total)
    (first,) = (cache.root() / level).glob("*/*")
    cache.fetch(sources[2:], "total", {}, total)
    (second,) = {*(cache.root() / level).glob("*/*")} - {first}
    second.write_bytes(first.read_bytes())
    assert cache.fetch(sources[2:], "total", {}, total).array.tolist() == [20]
    assert cache.fetch(sources[1:2], "total", {}, never).array.tolist() == [10]


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b'{"content": 5}', b"\xff\xfe"])
def test_a_damaged_file_list_is_read_anew(sources, text):
    cache.fetch(sources, "total", {}, total)
    (path,) = (cache.root() / "stats-2").glob("*/*")
    path.write_bytes(text)
    assert cache.fetch(sources, "total", {}, never).array.tolist() == [0, 10, 20]


def test_a_pickle_is_never_stored(sources):
    with pytest.raises(ValueError, match="Object arrays"):
        cache.fetch(sources, "total", {}, lambda _: (np.array([object()]), {}))
    assert entries() == []


def test_a_failed_computation_leaves_nothing(sources):
    def fail(_contents):
        raise FrameError("broken")

    with pytest.raises(FrameError, match="broken"):
        cache.fetch(sources, "total", {}, fail)
    assert cache.size() == 0


def test_an_absent_source_is_named(tmp_path):
    with pytest.raises(FrameError, match=r"gone\.bin: can't be read"):
        cache.fetch([tmp_path / "gone.bin"], "total", {}, total)


def test_writers_at_the_same_time_agree(sources):
    start, totals, count = threading.Barrier(8), [], 25

    def work():
        start.wait()
        for number in range(count):
            totals.append(cache.fetch(sources, "total", {"n": number}, total).array.tolist())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert totals == [[0, 10, 20]] * (8 * count)
    assert len(entries()) == count
    assert all(path.suffix == ".clip" for path in entries())  # Nothing half-written is left.


def test_a_killed_writer_leaves_the_old_state(sources, monkeypatch):
    def killed(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cache.Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            cache.fetch(sources, "total", {}, total)
    assert [path.suffix for path in entries()] == [".part"]
    assert cache.fetch(sources, "total", {}, total).array.tolist() == [0, 10, 20]


def test_a_cache_that_cannot_be_written_costs_only_time(sources, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "file"))
    entry = cache.fetch(sources, "total", {}, total)
    assert entry.array.tolist() == [0, 10, 20]
    assert entry.not_stored


def test_a_full_disk_leaves_no_rest(sources, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.Path, "replace", full)
    assert cache.fetch(sources, "total", {}, total).not_stored == "No space left on device"
    assert cache.size() == 0


def test_clear_removes_what_size_counts_and_nothing_else(sources):
    cache.fetch(sources, "total", {}, total)
    foreign = [cache.root() / "mine.txt", cache.root() / "arrays-2" / "mine.txt"]
    for path in foreign:
        path.write_text("keep")
    held = cache.size()
    assert held > 0
    assert cache.clear() == held
    assert cache.size() == 0
    assert all(path.read_text() == "keep" for path in foreign)
    assert cache.fetch(sources, "total", {}, total).array.tolist() == [0, 10, 20]


def test_size_and_clear_of_no_cache():
    assert cache.size() == 0
    assert cache.clear() == 0
