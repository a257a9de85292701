"""A spotting as files: for spreadsheets, for ELAN, for programs."""

from pathlib import Path

from mer_keras.errors import UserError
from mer_keras.video.elan import elan_document
from mer_keras.video.spot import Spotting
from mer_keras.video.tables import curve_csv, intervals_csv, json_text, result_json
from mer_keras.whole_files import write_whole


def write_spotting(spotting: Spotting, folder: Path) -> list[Path]:
    """Write intervals.csv, curve.csv, an .eaf of the video's name and result.json.

    No file holds a picture, or a path beyond the video's own name.

    Args:
        spotting: what was spotted.
        folder: where to; it is made.

    Returns:
        The files.

    Raises:
        UserError: the folder can't be written.
    """
    name = spotting.facts.name
    contents = {
        "intervals.csv": intervals_csv(spotting.intervals, name, spotting.options.kind).encode(),
        "curve.csv": curve_csv(spotting.curve).encode(),
        f"{Path(name).stem}.eaf": elan_document(spotting.intervals, name),
        "result.json": json_text(result_json(spotting)).encode(),
    }
    try:
        for file, content in contents.items():
            write_whole(folder / file, content)
    except OSError as error:
        raise UserError(
            f"{folder}: can't be written ({error.strerror}): name another folder with --out"
        ) from error
    return [folder / file for file in contents]
