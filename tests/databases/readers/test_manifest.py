"""A user's own list of clips: what is legal comes back as it was, all else is refused in words."""

import csv
import io
import tempfile
import unicodedata
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.databases.cells import as_whole_number
from mer_keras.databases.loading import finish
from mer_keras.databases.readers import manifest
from mer_keras.databases.workbook import clean_cell
from mer_keras.errors import AnnotationError, MerKerasError
from mer_keras.terms import DataKind

NEEDED = {
    "sample": ("sample", "Clip", "sample_id"),
    "subject": ("subject", "SUBJECT "),
    "path": ("path", "frames", "Video", "folder"),
    "emotion": ("emotion", "Label"),
}
OPTIONAL = ("onset", "apex", "offset", "fps", "action_units")


def is_plain(text):
    """As a cell is kept, and no name that leads elsewhere."""
    short = len(text.encode()) <= 200
    return text == clean_cell(text) and short and text != "." and ".." not in text


# without \r, which Python's own writer leaves unquoted
cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)
texts = cells.filter(lambda text: text == clean_cell(text))
# commas, quotes, tags, formulas, other scripts: whatever is no separator of folders
names = st.text(
    st.sampled_from("aé微,\"' ;=+-@<>&.06") | st.characters(codec="utf-8", categories="LNPSMZ"),
    min_size=1,
    max_size=12,
).filter(lambda text: is_plain(text) and not set(text) & set("/\\:"))
numbers = st.integers(0, 999_999_999)
#: a frame number as it may be written -> what it is
written = numbers.flatmap(
    lambda n: st.sampled_from([(str(n), n), (f"{n}.0", n), (f" {n} ", n), (f"{n:09d}", n)])
)
absent = st.sampled_from([("", None), ("/", None), ("  ", None)])
rates = st.floats(0.001, 100_000).map(lambda fps: (repr(fps), fps)) | st.just(("", None))


@st.composite
def clips(draw):
    """Rows of legal cells, and what must come of them; no subject is written in two ways."""
    spelt = {}
    rows, expected = [], []
    for number in range(draw(st.integers(1, 5))):
        subject = draw(names)
        subject = spelt.setdefault(one_subject(subject), subject)
        sample = f"{draw(names)}{number}"
        path = "/".join([*draw(st.lists(names, max_size=2)), sample])
        emotion = draw(names)
        marks = {m: draw(written | absent) for m in ("onset", "apex", "offset")}
        fps = draw(rates)
        units = draw(texts | st.just(""))
        rows.append(
            {
                **{"sample": sample, "subject": subject, "path": path, "emotion": emotion},
                **{mark: text for mark, (text, _) in marks.items()},
                **{"fps": fps[0], "action_units": units},
            }
        )
        expected.append(
            {
                **{"clip": sample, "subject": subject, "path": path, "emotion": emotion.lower()},
                **{mark: value for mark, (_, value) in marks.items()},
                **{"fps": fps[1], "action_units": units},
            }
        )
    return rows, expected


def one_subject(name):
    number = as_whole_number(name)
    return unicodedata.normalize("NFC", name) if number is None else number


@contextmanager
def folder():
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)


def write(root, lines, *, mark=b"", **style):
    text = io.StringIO()
    csv.writer(text, **style).writerows(lines)
    (root / "clips.csv").write_bytes(mark + text.getvalue().encode())


def read(root):
    return [asdict(clip) for clip in manifest.read(root, "lab").clips]


def row(**changed):
    return {"sample": "a", "subject": "p1", "path": "a", "emotion": "fear"} | changed


def read_rows(*rows):
    """Rows that must be accepted as a table, with all checks but those of the disk."""
    with folder() as root:
        write(root, [list(rows[0]), *(list(row.values()) for row in rows)])
        reading = manifest.read(root, "lab")
        for clip in reading.clips:
            clip.path.mkdir(parents=True, exist_ok=True)
            (clip.path / "1.png").touch()
        return reading, finish(reading, DataKind.LICENSED)


@given(
    clips(),
    st.permutations([*NEEDED, *OPTIONAL, "remarks"]),
    st.sampled_from(
        [
            *(("\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_MINIMAL)),
            *(("\n", csv.QUOTE_ALL), ("\r", csv.QUOTE_ALL)),
        ]
    ),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.booleans(),
    st.data(),
)
def test_any_legal_table_comes_back_as_it_was(table, order, style, mark, blank_lines, data):
    rows, expected = table
    header = [data.draw(st.sampled_from(NEEDED.get(name, (name,)))) for name in order]
    lines = [header]
    for cells_of in rows:
        lines += [[""] * len(order)] * blank_lines
        lines.append([cells_of.get(name, "") for name in order])
    with folder() as root:
        write(root, lines, mark=mark, lineterminator=style[0], quoting=style[1])
        found = read(root)
        assert len(found) == len(expected)
        for got, wanted in zip(found, expected, strict=True):
            wanted = wanted | {"path": root.absolute() / wanted["path"], "database": "lab"}
            assert {key: got[key] for key in wanted} == wanted


@given(st.sets(st.sampled_from(OPTIONAL)))
def test_columns_that_may_be_left_out_are_empty_then(kept):
    with folder() as root:
        write(root, [[*NEEDED, *kept], ["a", "p1", "a", "fear", *["7"] * len(kept)]])
        (found,) = read(root)
    for name in OPTIONAL:
        blank = "" if name == "action_units" else None
        assert (found[name] == blank) == (name not in kept)


#: text that is nearly a table
pieces = st.sampled_from(
    [
        *("sample,subject,path,emotion,onset\n", "sample,subject,path,emotion\r\n"),
        *("a,p1,a,fear", "b,p1,b,joy,7", f"c,p2,{'/'.join(['y' * 99] * 60)},fear"),
        *("\n", "\r", ",", '"', "'", "..", "/", "\0", "\ufeff", "\u2028", "1e999", "-1"),
        *("=cmd|' /C calc'!A0", "x" * 300, "\U000e0001" * 40),
    ]
)


@given(st.lists(pieces | cells, max_size=12).map("".join) | st.binary(max_size=60))
def test_any_text_is_a_table_or_refused_in_a_few_words(text):
    with folder() as root:
        content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        (root / "clips.csv").write_bytes(content)
        try:
            finish(manifest.read(root, "lab"), DataKind.LICENSED)
        except MerKerasError as error:
            message = str(error)
            assert error.exit_code == 2
            assert len(message) < 4000
            assert "clips.csv" in message


steps = st.sampled_from(
    [
        *("..", ".", "", "/", "\\", "C:", "\0", "~", "\uff0e\uff0e", "\uff0f", "..\\..", "%2e%2e"),
        *("clip", "a b", "within", "out", "loop", "\n", "/etc/passwd", "file://x", "out/../clip"),
    ]
)


@given(st.lists(steps, min_size=1, max_size=4).map("/".join))
def test_no_path_leads_out_of_the_folder(path):
    with folder() as place:
        root = place / "root"
        (root / "clip").mkdir(parents=True)
        (root / "out").symlink_to(place)
        (root / "loop").symlink_to(root / "loop")
        (root / "within").symlink_to(root / "clip")
        write(root, [list(NEEDED), ["a", "p1", path, "fear"]])
        try:
            (found,) = read(root)
        except AnnotationError as error:
            assert "row 2, column 'path'" in str(error)
            return
        assert found["path"].resolve().is_relative_to(root.resolve())
        assert ".." not in path and path.split("/")[0] not in ("out", "loop")


@given(st.lists(steps.filter(lambda s: s in ("clip", "a b")), max_size=3), st.data())
def test_a_step_up_is_refused_wherever_it_stands(rest, data):
    up = data.draw(
        st.sampled_from(["..", "\uff0e\uff0e", "..\\x", "a/../..", "C:\\x", "/x", "a\0"])
    )
    rest.insert(data.draw(st.integers(0, len(rest))), up)
    with folder() as root:
        write(root, [list(NEEDED), ["a", "p1", "/".join(rest), "fear"]])
        with pytest.raises(AnnotationError, match="row 2, column 'path'"):
            read(root)


@given(clips(), st.data())
def test_fault_07_08_a_clip_listed_twice_is_refused(table, data):
    """The name again, or the same frames under another name: one clip in two folds would be."""
    rows, _ = table
    again = dict(data.draw(st.sampled_from(rows)))
    if data.draw(st.booleans()):
        again |= {"path": "elsewhere", "emotion": "other"}
    else:
        again |= {"sample": "elsewhere", "subject": "somebody", "emotion": "other"}
    # in order, so that only the repetition is wrong
    lines = [{**line, "onset": "", "apex": "", "offset": ""} for line in (*rows, again)]
    with folder() as root:
        write(root, [list(lines[0]), *(list(line.values()) for line in lines)])
        with pytest.raises(AnnotationError, match="two rows for clip") as caught:
            finish(manifest.read(root, "lab"), DataKind.LICENSED)
        assert "clips.csv" in str(caught.value)


def test_clips_of_one_recording_are_several():
    marks = [{"onset": n, "apex": n + 1, "offset": n + 2} for n in (1, 5)]
    _, samples = read_rows(row(**marks[0]), row(sample="b", **marks[1]))
    assert len(samples.ids) == 2


@given(st.integers(0, 999), st.permutations(["{}", "0{}", "{}.0", " {} "]))
def test_fault_09_a_subject_is_one_person_however_the_number_is_written(number, forms):
    subjects = [form.format(number) for form in forms]
    rows = [row(sample=f"c{i}", path=f"c{i}", subject=s) for i, s in enumerate(subjects)]
    reading, samples = read_rows(*rows)
    assert set(samples.table["subject"]) == {subjects[0].strip()}
    (remark,) = reading.warnings
    assert "in another way" in remark and "clips.csv" in remark


def test_fault_09_accents_do_not_make_two_people():
    rows = [row(sample="a", subject="Ren\u00e9"), row(sample="b", path="b", subject="Rene\u0301")]
    assert set(read_rows(*rows)[1].table["subject"]) == {"Ren\u00e9"}
    # another case is another name: nothing is guessed
    rows = [row(sample="a", subject="P1"), row(sample="b", path="b", subject="p1")]
    assert set(read_rows(*rows)[1].table["subject"]) == {"P1", "p1"}


@given(st.text(max_size=8) | st.floats().map(repr))
def test_frames_a_second_are_a_sensible_number_or_refused(fps):
    with folder() as root:
        write(root, [[*NEEDED, "fps"], ["a", "p1", "a", "fear", fps.replace("\0", "")]])
        try:
            (found,) = read(root)
        except AnnotationError as error:
            assert "clips.csv" in str(error)
            return
        assert found["fps"] is None or 0 < found["fps"] <= 100_000
