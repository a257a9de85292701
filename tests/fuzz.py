"""``make fuzz``: damaged files by the thousand, for everything that reads what users bring.

A reader may refuse a file with one of the package's own errors, and nothing else: no other
exception, no long time, no much memory. What was found once stays in the tests as a case.
"""

import argparse
import hashlib
import io
import json
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from mer_keras.bench.memory import peak_memory
from mer_keras.clips.frames import read_image
from mer_keras.config.files import load_experiments
from mer_keras.databases.loading import finish
from mer_keras.databases.readers import manifest
from mer_keras.databases.workbook import read_sheet
from mer_keras.errors import MerKerasError
from mer_keras.leaderboard.reading import read_contribution

ROOT = Path(__file__).parents[1]
SLOW_SECONDS = 5
MOST_MIB = 1500
#: pieces that formats give a meaning to
PIECES = [
    b"\x00", b"\xff" * 4, b"-1", b"9" * 30, b"1e309", b"nan", b"../", b"<", b">", b"&#0;", b'"',
    b"&a;", b"{", b"}", b"[", b"]", b"*a", b"&a ", b"!!python/object:os.system ", b": ", b"\n- ",
    b",", b"=", b"\r\n", b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", b"r=\"A1048576\"", b"t=\"s\"",
]  # fmt: skip


def mutated(rng, data):
    """A few random changes of some bytes."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        place = rng.randrange(len(data) + 1)
        end = min(len(data), place + rng.choice([1, 4, 32, 256]))
        change = rng.randrange(6)
        if change == 0 and data:
            data[place % len(data)] = rng.randrange(256)
        elif change == 1:
            del data[place:end]
        elif change == 2:
            data[place:place] = rng.choice(PIECES)
        elif change == 3:
            data[place:place] = data[place:end] * rng.choice([1, 2, 50])
        elif change == 4:
            data[place:end] = rng.choice(PIECES)
        else:
            del data[place:]
    return bytes(data)


def mutated_zip(rng, data):
    """Change the archive itself, or one of its parts."""
    if rng.random() < 0.4:
        return mutated(rng, data)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        names = old.namelist()
        victim = rng.choice(names)
        for name in names:
            content = old.read(name)
            new.writestr(name, mutated(rng, content) if name == victim else content)
    return out.getvalue()


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


def image_target(folder):
    """Frames."""
    picture = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
    seeds = [cv2.imencode(end, picture)[1].tobytes() for end in (".png", ".jpg", ".bmp", ".tiff")]
    file = folder / "frame.png"

    def read(data):
        file.write_bytes(data)
        read_image(file)

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


TARGETS = {
    "contribution": contribution_target,
    "workbook": workbook_target,
    "manifest": manifest_target,
    "config": config_target,
    "image": image_target,
}


def fuzz(name, seconds, seed, *, out=None):
    """Read damaged files for so long; return counts by outcome, and what must be mended."""
    rng, outcomes, findings = random.Random(seed), Counter(), {}
    with tempfile.TemporaryDirectory() as place:
        seeds, change, read = TARGETS[name](Path(place))
        started, tries = time.monotonic(), 0
        while time.monotonic() - started < seconds:
            data = change(rng, rng.choice(seeds))
            tries += 1
            before = time.monotonic()
            try:
                read(data)
                outcome = "read"
            except MerKerasError as error:
                outcome = "refused"
                text = str(error)
                if len(text) > 4000:
                    outcome = "a message of more than 4000 characters"
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                outcome = f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
            if time.monotonic() - before > SLOW_SECONDS:
                outcome = f"more than {SLOW_SECONDS} s"
            outcomes[outcome] += 1
            if outcome not in ("read", "refused") and outcome not in findings:
                findings[outcome] = data
                if out:
                    out.mkdir(parents=True, exist_ok=True)
                    (out / re.sub(r"\W+", "-", f"{name}-{outcome}")).write_bytes(data)
        peak = peak_memory()  # The system's own count includes that of the process before it.
        if peak > MOST_MIB:
            findings[f"{peak} MiB of memory"] = b""
    return tries, outcomes, findings


def main():
    """Fuzz one target or all, and exit with 1 if something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(TARGETS))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="keep files that were found here")
    given = parser.parse_args()
    failed = False
    for name in given.targets:
        tries, outcomes, findings = fuzz(name, 60 * given.minutes, given.seed, out=given.out)
        if findings:
            print(f"{name}: to be mended: {list(findings)}", file=sys.stderr)
        print(f"{name}: {tries} files in {given.minutes:g} min: {dict(outcomes)}", flush=True)
        failed |= bool(findings)
    sys.exit(failed)


if __name__ == "__main__":
    main()
