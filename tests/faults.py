"""``make faults``: every fault that the suite must survive, how often it was tried, what was lost.

A test that tries a fault has its number in its name: ``test_fault_19_20_...``.
"""

import re
from collections import defaultdict

#: Each fault and what must happen, by number: E stops before training with file, row and remedy and
#: exit code 2; W goes on and is listed; S leaves the clip out with its reason.
FAULTS = {
    1: ("missing column", "E"),
    2: ("unknown emotion", "E"),
    3: ("apex blank or /", "W, or S by policy"),
    4: ("onset, apex, offset out of order", "E, or S by policy"),
    5: ("onset = apex = offset", "W"),
    6: ("frame number beyond the folder", "S"),
    7: ("clip row twice", "E"),
    8: ("one clip, two labels", "E"),
    9: ("subject 6, 06, 6.0", "one subject"),
    10: ("text rows before the header", "found"),
    11: ("another edition of a table", "accepted, recorded"),
    12: ("full-width commas, byte order mark, Chinese labels", "normalised"),
    13: ("formula in a cell", "saved value; escaped on export"),
    14: ("encrypted, .xls, CSV named .xlsx", "E"),
    15: ("workbook bomb", "E before opening"),
    16: ("XML entities", "E before opening"),
    17: ("path in a cell, link out of the root", "E"),
    18: ("merged cells, blank rows at the end", "ignored"),
    19: ("image of zero bytes", "S"),
    20: ("truncated JPEG", "S"),
    21: ("PNG named .jpg", "W"),
    22: ("16 bits, alpha, CMYK, gray", "converted"),
    23: ("header of 200 megapixels", "E before decoding"),
    24: ("mixed sizes in one clip", "E, or resized by policy"),
    25: ("img9 and img10", "natural order"),
    26: ("gaps in frame numbers", "W, nearest frame"),
    27: ("clip shorter than the window", "edges repeated"),
    28: ("Thumbs.db, .DS_Store", "ignored"),
    29: ("broken video, 0 fps, variable fps", "S"),
    30: ("no face, two faces", "policy, counted"),
    31: ("black or identical frames", "W"),
    32: ("NaN after optical flow", "E naming the clip"),
    33: ("unicode, spaces, long paths", "work"),
    34: ("read-only database", "works"),
    35: ("class absent from a fold", "W, all classes count"),
    36: ("fewer subjects than folds", "E"),
    37: ("leave-one-out with one subject", "E"),
    38: ("one bare subject id in two databases", "two subjects"),
    39: ("folds changed since the run began", "E naming what differs"),
    40: ("copy of a clip outside train", "stops with exit code 3"),
    41: ("kill, full disk, two processes", "one writer; the same predictions"),
    42: ("out of memory", "E naming the batch size"),
    43: ("loss becomes NaN", "that fold fails alone"),
    44: ("malicious, truncated, foreign weights", "E, nothing executed"),
    45: ("a reader and its stand-in share an error", "tested on values of real rows"),
    46: ("the same information elsewhere by release", "used, said, differences remarked"),
    47: ("folders that stand once more", "looked through"),
    48: ("columns, dialect or header otherwise", "read, or E naming what was found"),
    49: ("a file that is nearly the official one", "E naming it"),
    50: ("a clip's file that can't be opened", "S"),
    51: ("content that stands twice", "W with both ids"),
    52: ("linked trees; links in a clip's folder", "followed; E"),
    53: ("pair of frames without motion", "W, or S by policy; not stretched"),
    54: ("flow channels in another order", "declared and reordered, or E"),
    55: ("flip of flow", "u turns its sign"),
    56: ("names that become one key, equal seeds", "E"),
    57: ("predictions that are no numbers", "that fold fails alone"),
    58: ("files of another run, row, seed, fold", "don't count as done, or E"),
    59: ("manifest or predictions changed afterwards", "verify: E naming the field"),
    60: ("a fold, database or run that lacks a class", "means over the others, said so"),
    61: ("an operation that the counter of cost doesn't know", "E, never counted as 0"),
    62: ("default that changes", "another run; a test says so"),
    63: ("any allowed value of any config field", "trains two folds, or E with a remedy"),
    64: ("frozen, masked, one frame, other number formats", "layers are as Keras' own, or raise"),
    65: ("declared sizes", "bounded before they are believed"),
    66: ("whatever a decoder may raise", "E"),
    67: ("run folder of somebody else, damaged or contradictory", "E naming it; others are listed"),
    68: ("playlist that names other files", "E, not followed"),
    69: ("cell that begins with a blank, a full-width sign or [", "escaped in CSV and LaTeX"),
    70: ("run folder that vanishes during a run", "E at once"),
    71: ("files that users keep, several writers", "written whole, under a lock"),
    72: ("a full or read-only disk", "E, nothing half-written"),
    73: ("hours of work on drawn faces", "announced; E unless asked for"),
    74: ("a wheel installed anywhere", "works as the clone does"),
    75: ("paper, caption and numbers of other data", "dropped from what is derived, and said"),
    77: ("ids, prefixes, paths, experiments, latest", "one way to name a run"),
    76: ("misspelt labels, frames beyond the footage", "E when data are added"),
    78: ("size that a network can't be built for", "E before a clip is read"),
}


def numbers_of(name):
    """Numbers of the faults that a test of this name tries."""
    match = re.search(r"test_fault((?:_\d\d)+)_", name)
    return [int(number) for number in match[1].strip("_").split("_")] if match else []


class Table:
    """Counts, per fault, the tests that tried it and those that failed."""

    def __init__(self):
        self.tried, self.lost = defaultdict(int), defaultdict(int)

    def pytest_runtest_logreport(self, report):
        for number in numbers_of(report.nodeid):
            self.tried[number] += report.when == "call" and not report.skipped
            self.lost[number] += report.failed

    def pytest_terminal_summary(self, terminalreporter):
        write = terminalreporter.write_line
        write("")
        write(f"{'':>3} {'fault':<52} {'what must happen':<34} {'tried':>5} {'lost':>5}")
        for number, (what, behaviour) in FAULTS.items():
            tried, lost = self.tried[number], self.lost[number]
            write(f"{number:>3} {what:<52} {behaviour:<34} {tried:>5} {lost:>5}")
        untried = [number for number in FAULTS if not self.tried[number]]
        write(f"tried {sum(self.tried.values())}, lost {sum(self.lost.values())}")
        if untried:
            write(f"never tried: {', '.join(map(str, untried))}")


def pytest_configure(config):
    """Called where this module is loaded as a plugin: ``-p tests.faults``."""
    config.pluginmanager.register(Table(), "faults-table")
