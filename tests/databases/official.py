"""The official tables, rebuilt row by row from what is known of them.

Counts of emotions, classes and subjects, forms of names and cells, and single rows are those of the
real tables; who shows what in the other rows isn't published and is filled in. Of each clip the
frames of onset, middle or apex, and offset are written.
"""

from itertools import cycle
from pathlib import Path

from tests.databases.trees import touch, write_book, write_frames

SAMM_SUBJECTS = [
    *("006", "007", "009", "010", "011", "012", "013", "014", "015", "016", "017", "018", "019"),
    *("020", "021", "022", "023", "024", "025", "026", "028", "030", "031", "032", "033", "034"),
    *("035", "036", "037"),
]
#: Emotion of SAMM -> clips, capitalised as its table has it.
SAMM_EMOTIONS = {
    "Anger": 57, "Other": 26, "Happiness": 26, "Surprise": 15, "Contempt": 12, "Disgust": 9,
    "Fear": 8, "Sadness": 6,
}  # fmt: skip
#: Objective class -> clips by emotion; the sums are the real 24, 13, 20, 8, 3, 7, 84.
SAMM_OBJECTIVE = {
    1: {"Happiness": 24}, 2: {"Surprise": 13}, 3: {"Anger": 20}, 4: {"Disgust": 8},
    5: {"Sadness": 3}, 6: {"Fear": 7},
}  # fmt: skip
SAMM_HEADER = [
    "Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame",
    "Duration", "Micro", "Action Units", "Estimated Emotion", "Objective Classes", "Notes",
]  # fmt: skip
#: Action units as coders of SAMM wrote them.
SAMM_UNITS = cycle(
    ["4+7", "R2", "(R6 or R12)+R15", "R14A or 17A or 24A", "ref(7B)+43", "10A/B", "A/L12", 12]
)

CASME2_EMOTIONS = {
    "2014": {
        "others": 99, "disgust": 63, "happiness": 32, "repression": 27, "surprise": 25,
        "sadness": 7, "fear": 2,
    },
    # Surprise and sadness are the real ones; with as many others as before it has 255 rows.
    "2019": {
        "others": 99, "disgust": 63, "happiness": 32, "repression": 27, "surprise": 28,
        "sadness": 4, "fear": 2,
    },
}  # fmt: skip
CASME2_OBJECTIVE = {
    "2014": [25, 15, 99, 26, 20, 1, 69],
    "2019": [30, 18, 93, 15, 18, 2, 79],
}
#: Clips of CASME II that are known: subject, name, onset, apex, offset, emotion.
CASME2_KNOWN = [
    ("04", "EP12_01f", 261, "/", 321, "disgust"),
    ("05", "EP09_05f", 69, 69, 123, "repression"),
]

#: Labels of CAS(ME)^2's 57 micro-expressions: estimated, reported, and by the film.
CAS_ME2_ESTIMATED = {"negative": 21, "others": 19, "surprise": 9, "positive": 8}
CAS_ME2_REPORTED = {
    "disgust": 16, "happiness": 15, "surprise": 10, "anger": 8, "fear": 4, "pain": 2,
    "helpless": 1, "sadness": 1,
}  # fmt: skip
CAS_ME2_FILMS = {"happy": 22, "disgust": 18, "anger": 17}
CAS_ME2_ROW = [1, "disgust2_3", 699, 703, 707, "NULL", "others", "micro-expression", "disgust"]

SMIC_SUBJECTS = [1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 13, 14, 15, 18, 19, 20]
SMIC_EMOTIONS = {"negative": ("ne", 70), "positive": ("po", 51), "surprise": ("sur", 43)}


def listed(counts):
    return [name for name, count in counts.items() for _ in range(count)]


def write_samm(root: Path, *, copy: str = "1143") -> Path:
    """159 rows below 13 of text; one copy has 1143 and 1930 as apexes, another 1113 and 4930."""
    apexes = {"1143": (1143, 1930), "1113": (1113, 4930)}[copy]
    # Subject 025 shows nothing but "Other", so that MEGC 2019 has 28 of the 29.
    emotions = listed(SAMM_EMOTIONS)
    others = [s for s in SAMM_SUBJECTS if s != "025"]
    left = {number: dict(shares) for number, shares in SAMM_OBJECTIVE.items()}
    rows = [["text"]] * 13 + [SAMM_HEADER]
    subjects = cycle(others)
    known = {"028": ("028_4_1", 1080, 1130, apexes[0]), "032": ("032_3_1", 4900, 4960, apexes[1])}
    for take, emotion in enumerate(emotions, start=1):
        subject = "025" if emotion == "Other" and take % 5 == 0 else next(subjects)
        number = next((n for n, shares in left.items() if shares.get(emotion)), 7)
        if number != 7:
            left[number][emotion] -= 1
        name = f"{subject}_{take % 7 + 1}_{take + 10}"
        usual = (name, 5562 + take, 5600 + take, 5588 + take)
        name, onset, offset, apex = known.pop(subject, usual)
        units = next(SAMM_UNITS)
        duration = offset - onset + 1
        row = [subject, name, take % 7 + 1, onset, apex, offset, duration, "Micro - 1/2", units]
        rows.append([*row, emotion, number, None])
        write_frames(root / subject / name, f"{subject}_{{:05d}}.jpg", onset, offset, apex)
    write_book(root / "SAMM_Micro_FACS_Codes_v2.xlsx", {"MICRO_ONLY": rows})
    return root


def write_casme2(root: Path, edition: str) -> Path:
    """255 rows; the editions write subjects and objective classes otherwise."""
    emotions = dict(CASME2_EMOTIONS[edition])
    rows = [list(row) for row in CASME2_KNOWN]
    for *_, emotion in CASME2_KNOWN:
        emotions[emotion] -= 1
    subjects = cycle(f"{n:02d}" for n in range(1, 27) if n not in (10, 18))
    outside = cycle(["10", "18"])
    names = cycle(["EP01_2", "EP06_02_01", "EP09f", "EP02_01f", "EP08_1"])
    for take, emotion in enumerate(listed(emotions)):
        # Subjects 10 and 18 have no clip in MEGC 2019, which takes four emotions.
        rest = emotion in ("others", "sadness", "fear") and take % 40 == 0
        subject = next(outside) if rest else next(subjects)
        name = f"{next(names)}_{take}"
        rows.append([subject, name, 46 + take, 59 + take, 86 + take, emotion])
    classes = listed({str(n): c for n, c in enumerate(CASME2_OBJECTIVE[edition], start=1)})
    header = ["Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None]
    header += ["Action Units", "Estimated Emotion"]
    table = [header + (["Objective Classes"] if edition == "2019" else [])]
    second = [["Subject", "Filename", "Objective Class"]]
    for row, number in zip(rows, classes, strict=True):
        subject, name, onset, apex, offset, emotion = row
        frames = root / "Cropped" / f"sub{subject}" / name
        write_frames(frames, "reg_img{}.jpg", onset, offset, onset if apex == "/" else apex)
        units = 4 if onset % 2 else "4+L10"
        written = subject if edition == "2014" else int(subject)
        cells = [written, name, None, onset, apex, offset, None, units, emotion]
        table.append(cells + ([int(number)] if edition == "2019" else []))
        second.append([subject, name, int(number)])
    date = {"2014": "20140508", "2019": "20190701"}[edition]
    write_book(root / f"CASME2-coding-{date}.xlsx", {"Sheet1": table, "Sheet2": [], "Sheet3": []})
    if edition == "2014":
        write_book(root / "CASME2-ObjectiveClasses.xlsx", {"Sheet1": second})
    return root


def write_cas_me2(root: Path) -> Path:
    """57 micro-expressions of 14 subjects and one macro-expression, in three sheets."""
    films = {
        "happy": ("happy1", "0502"),
        "disgust": ("disgust2", "0102"),
        "anger": ("anger1", "0401"),
    }
    estimated, reported = dict(CAS_ME2_ESTIMATED), dict(CAS_ME2_REPORTED)
    shown = dict(CAS_ME2_FILMS)
    for counts, label in ((estimated, "others"), (reported, "disgust"), (shown, "disgust")):
        counts[label] -= 1
    rows = [CAS_ME2_ROW]
    participants = cycle(range(1, 15))
    labels = zip(listed(shown), listed(estimated), listed(reported), strict=True)
    for take, (film, coded, own) in enumerate(labels):
        onset = 100 + 20 * take
        name = f"{films[film][0]}_{take + 1}"
        person = next(participants)
        rows.append([person, name, onset, onset + 3, onset + 8, "4", coded, CAS_ME2_ROW[7], own])
    rows.append([22, "anger1_1", 10, 20, 40, "4+7", "negative", "macro-expression", "anger"])
    folders = [[14 + k, f"s{14 + k}", k] for k in range(1, 23)]
    codes = dict(films.values())
    for person, name, onset, apex, offset, *_ in rows:
        film = name.rpartition("_")[0]
        video = root / "rawpic" / f"s{14 + person}" / f"{14 + person}_{codes[film]}{film}"
        write_frames(video, "img{}.jpg", onset, offset, apex)
    sheets = {"a": rows, "b": folders, "c": [[code, name] for name, code in films.values()]}
    write_book(root / "CAS(ME)^2code_final(Updated).xlsx", sheets)
    return root


def write_smic(root: Path) -> Path:
    """164 folders, named without a zero as the release has them."""
    for emotion, (code, count) in SMIC_EMOTIONS.items():
        subjects = cycle(SMIC_SUBJECTS)
        for take in range(count):
            number = next(subjects)
            clip = f"s{number}_{code}_{take + 1:02d}"
            folder = root / "SMIC_all_cropped" / "HS" / f"s{number}" / "micro" / emotion / clip
            write_frames(folder, "reg_image{}.bmp", 200_010, 200_040, 200_025)
    return root


def write_megc2019(data: Path) -> Path:
    """442 rows without a header, SAMM's subjects without their zeros, SMIC's clips with one."""
    from python_calamine import CalamineWorkbook

    def rows_of(file, skip):
        sheet = CalamineWorkbook.from_path(str(data / file)).get_sheet_by_index(0)
        return sheet.to_python(skip_empty_area=False)[skip:]

    classes = {"happiness": 1, "positive": 1, "surprise": 2}
    lines = []
    for row in rows_of("SAMM/SAMM_Micro_FACS_Codes_v2.xlsx", 14):
        if row[9] != "Other":
            lines.append(f"samm,{int(row[0])},{row[1]},{classes.get(row[9].lower(), 0)}")
    left_out = {("04", "EP12_01f"), ("05", "EP09_05f")}
    for row in rows_of("CASME2/CASME2-coding-20140508.xlsx", 1):
        subject, name, emotion = f"{int(row[0]):02d}", row[1], row[8]
        taken = emotion in ("disgust", "repression", "happiness", "surprise")
        if taken and (subject, name) not in left_out:
            lines.append(f"casme2,sub{subject},{name},{classes.get(emotion, 0)}")
    for clip in sorted((data / "SMIC").glob("*/HS/*/micro/*/*")):
        subject, code, take = clip.name.split("_")
        number = f"s{int(subject[1:]):02d}"
        label = classes.get(clip.parent.name, 0)
        lines.append(f"smic,{number},{number}_{code}_{take},{label}")
    touch(data / "MEGC2019" / "combined_3class_gt.csv", "\r\n".join([*lines, ""]).encode())
    return data / "MEGC2019"


def megc2019_clips(data: Path) -> dict[str, str]:
    """The challenge's clips by sample id, with their classes."""
    lines = (data / "MEGC2019" / "combined_3class_gt.csv").read_text().split()
    classes = ("negative", "positive", "surprise")
    clips = {}
    for database, subject, clip, label in (line.split(",") for line in lines):
        name = f"{int(subject):03d}" if database == "samm" else subject
        clips[f"{database}/{name}/{clip}"] = classes[int(label)]
    return clips
