"""Everything that is written of predicted recordings into a folder."""

from collections.abc import Sequence
from pathlib import Path

from mer_keras.prediction.elan import elan_of
from mer_keras.prediction.page import page_of
from mer_keras.prediction.predict import Predicted
from mer_keras.prediction.tables import intervals_csv
from mer_keras.report.formats import write_texts
from mer_keras.video.tables import curve_csv

#: Names of the files.
RESULT, INTERVALS, CURVE, PAGE = "result.json", "intervals.csv", "curve.csv", "page.html"


def write_prediction(predicted: Predicted, folder: Path) -> list[Path]:
    """Write what is predicted of one recording; return the paths.

    Args:
        predicted: of one recording.
        folder: created if absent; files of the same names are replaced.

    Raises:
        ResultsError: a file can't be written; what stood there before still does.
    """
    prediction = predicted.prediction
    files = {
        RESULT: prediction.model_dump_json(indent=1) + "\n",
        INTERVALS: intervals_csv([prediction]),
        PAGE: page_of([predicted]),
    }
    if predicted.curve is not None:
        files[CURVE] = curve_csv(predicted.curve)
    document = elan_of(prediction)
    if document is not None:
        files[f"{Path(prediction.recording.name).stem}.eaf"] = document.decode()
    return write_texts(files, folder)


def write_all(predicted: Sequence[Predicted], names: Sequence[str], folder: Path) -> list[Path]:
    """Write what is predicted of several recordings; return the paths.

    Args:
        predicted: one at least. Of one, all files are in ``folder``. Of several, each has a folder
            of its own, and one table and one page show all, in the order in which they were named.
        names: of the folders.
        folder: created if absent.

    Raises:
        ResultsError: a file can't be written.
    """
    paths = [
        path
        for of_folder, of_recording in zip(folders_of(names, folder), predicted, strict=True)
        for path in write_prediction(of_recording, of_folder)
    ]
    if len(predicted) == 1:
        return paths
    table = intervals_csv([of.prediction for of in predicted])
    return [*write_texts({PAGE: page_of(predicted), INTERVALS: table}, folder), *paths]


def folders_of(names: Sequence[str], folder: Path) -> list[Path]:
    """Return the folder of each recording: of one, the folder itself."""
    return [folder] if len(names) == 1 else [folder / name for name in names]
