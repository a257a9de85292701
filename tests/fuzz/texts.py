"""Targets that are texts or tables: workbooks, lists, configs, contributions, intervals."""

import hashlib
import io
import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mer_keras.config.files import load_experiments
from mer_keras.databases.loading import finish
from mer_keras.databases.readers import manifest
from mer_keras.databases.workbook import read_sheet
from mer_keras.evaluation.file_scores import score_file
from mer_keras.evaluation.predictions_file import read_predictions
from mer_keras.leaderboard.reading import read_contribution
from mer_keras.prediction.given import read_intervals as read_given
from mer_keras.prediction.sources import sources_of
from mer_keras.video.elan import elan_document, read_elan
from mer_keras.video.evaluate import read_annotations
from mer_keras.video.intervals import interval_at
from mer_keras.video.tables import intervals_csv, read_intervals
from tests.fuzz.mutation import mutated, mutated_zip, with_numbers

ROOT = Path(__file__).parents[2]


def workbook_target(folder):
    """Workbooks as the databases' tables are."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for line in (["Subject", "Filename", "Onset Frame", "Notes"], ["006", "006_1_2", 318, None]):
        sheet.append(line)
    sheet["E1"] = "=1+1"
    sheet.merge_cells("A5:B6")
    buffer = io.BytesIO()
    book.save(buffer)
    file = folder / "table.xlsx"

    def read(data):
        file.write_bytes(data)
        read_sheet(file)

    return [buffer.getvalue()], mutated_zip, read


def manifest_target(folder):
    """Lists of one's own clips."""
    for number in range(3, 12):
        place = folder / "frames/a1"
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f"{number}.png"), np.zeros((4, 4), np.uint8))
    text = (
        b"sample,subject,path,onset,apex,offset,emotion,fps,action_units\n"
        b"a1,p01,frames/a1,3,7,11,happiness,100,12+6\n"
        b'a2,"p,02",frames/a1,,,,surprise,,\n'
    )
    database = manifest.database("lab", folder, "clips.csv")
    kind = database.default_kind

    def read(data):
        (folder / "clips.csv").write_bytes(data)
        finish(database.reader(folder), kind)

    return [text], mutated, read


def config_target(folder):
    """Experiment configs."""

    def unnamed(file):
        """A file's bytes; without its name, a copy has that of its new file."""
        return re.sub(rb"^name: .*\n", b"", file.read_bytes())

    seeds = [unnamed(file) for file in sorted((ROOT / "experiments").glob("*/table1.yaml"))]
    for name in ("table1", "table5"):
        for file in (ROOT / "experiments").glob(f"*/{name}.yaml"):
            (folder / file.name).write_bytes(unnamed(file))

    def read(data):
        file = folder / "x.yaml"
        file.write_bytes(data)
        for config in load_experiments(str(file), profile="quick"):
            config.digest()  # writes it out as a manifest does

    return seeds, mutated, read


def contribution_target(folder):
    """Results that others send to the leaderboard; the first line of a seed names its file."""
    stored = next((ROOT / "results/published/leaderboard").glob("*/contribution.json")).parent
    sent = folder / "sent"
    shutil.copytree(stored, sent)
    files = {file.relative_to(sent).as_posix(): file.read_bytes() for file in sent.rglob("*.*")}
    head = "contribution.json"
    names = [head, "clips.csv", next(name for name in files if name.startswith("predicted"))]

    def read(data):
        line, _, content = data.partition(b"\n")
        name = line.decode("utf-8", "replace")
        name = name if name in names else head
        for other in names:
            (sent / other).write_bytes(files[other])
        (sent / name).write_bytes(content)
        if name != head:  # Whoever changes a file changes its digest, too.
            tree = json.loads(files[head])
            tree["files"][name] = hashlib.blake2b(content, digest_size=16).hexdigest()
            (sent / head).write_text(json.dumps(tree))
        read_contribution(sent)

    return [f"{name}\n".encode() + files[name] for name in names], mutated, read


def list_target(folder):
    """Lists of recordings, as ``predict`` takes them."""
    for name in ("a.mkv", "onset.png", "apex.png"):
        (folder / name).write_bytes(b"x")
    text = b"# recordings\na.mkv\nonset.png,apex.png\n"
    file = folder / "list.csv"

    def read(data):
        file.write_bytes(data)
        sources_of([file])

    return [text, text.decode().encode("utf-16")], mutated, read


def intervals_target(folder):
    """Intervals that are given or annotated: tables and files of ELAN; the first byte tells."""
    times = np.arange(200) / 100
    table = (
        b"video,subject,kind,onset,apex,offset,label,predicted\n"
        b"a.mkv,s1,micro,3,9,20,positive,\nb.mkv,s2,macro-expression,5,,90,,negative\n"
    )
    interval = interval_at(times, 3, 9, 20, score=1.5, region="mouth", remarks=("one", "two"))
    spotted = intervals_csv([interval], "a.mkv", "micro").encode()
    document = elan_document([interval], "a.mkv", date="2026-01-01T00:00:00+00:00")
    readers = {
        b"t": ("t.csv", lambda file: (read_annotations(file), read_given(file))),
        b"s": ("s.csv", lambda file: read_intervals(file, times)),
        b"e": ("e.eaf", lambda file: read_elan(file, times)),
    }

    def read(data):
        name, reader = readers.get(data[:1], readers[b"e"])
        (folder / name).write_bytes(data[1:])
        reader(folder / name)

    def change(rng, data):
        return data[:1] + mutated(rng, data[1:])

    return [b"t" + table, b"s" + spotted, b"e" + document], change, read


def score_target(folder):
    """Anybody's predictions, as CSV and as parquet."""
    table = pd.DataFrame(
        {
            "subject": ["s1", "s2", "s3"],
            "label": ["x", "y", "x"],
            "fold": [1, 2, 3],
            "prob_x": [0.75, 0.25, 0.5],
            "prob_y": [0.25, 0.75, 0.5],
            "other": pd.Categorical(["a", "b", "a"]),
        }
    )
    seeds = [table.to_csv(index=False).encode()]
    for compression in ("snappy", "zstd", None):
        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False, compression=compression)
        seeds.append(buffer.getvalue())

    def read(data):
        name = "t.parquet" if data.startswith(b"PAR1") else "t.csv"
        (folder / name).write_bytes(data)
        score_file(read_predictions(folder / name))

    return seeds, with_numbers, read
