"""A published set of flow images, as it was downloaded -> a database in a data root.

Everything is looked at before it is copied: names, classes, and each image, which is decoded. The
copy has one layout, ``samples.csv`` and the images beside it, whatever the publishers' was. It is
made aside and renamed, so that the database is there as a whole or not at all.
"""

import csv
import mmap
import re
import shutil
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from mer_keras import settings
from mer_keras.clips import frames
from mer_keras.databases import registry
from mer_keras.databases.folders import IMAGE_SUFFIXES
from mer_keras.databases.readers import megc2019_flow, megc2019_key_frames
from mer_keras.databases.samples import Excluded, FlowImage, Samples
from mer_keras.errors import AnnotationError, UserError, did_you_mean
from mer_keras.progress import CountProgress
from mer_keras.terms import SYNTHETIC_MARKER, DataKind

#: Databases that can be imported, each with the columns of its images in ``samples.csv``.
COLUMNS: Mapping[str, Mapping[str, str]] = {
    megc2019_flow.NAME: {megc2019_flow.IMAGE: "image"},
    megc2019_key_frames.NAME: {name: name for name in megc2019_key_frames.IMAGES},
}
#: Side of the images in pixels.
SIDE = 28

# Each limit of an archive is several times what the largest layout needs: 30,000 images of 3 kB.
MAX_ENTRIES = 150_000
MAX_FILE_BYTES = 1_000_000
MAX_BYTES = 500_000_000
# An archive of a repository may hold other files beside, which aren't unpacked.
MAX_ARCHIVE_BYTES = 4_000_000_000
MAX_LISTED = 500_000
#: The beginning of an entry in a zip's list of them.
_ENTRY = re.compile(b"PK\x01\x02")
_WANTED = (*IMAGE_SUFFIXES, ".csv", ".json")


@dataclass(frozen=True)
class Imported:
    """What was imported.

    Attributes:
        folder: where it is now.
        samples: the clips that were copied; those that were left out are listed with the reason.
    """

    folder: Path
    samples: Samples


def import_flow(name: str, source: Path, progress: CountProgress | None = None) -> Imported:
    """Check a set of flow images and copy it into the first data root.

    Args:
        name: a key of ``COLUMNS``.
        source: a folder that holds one of the published layouts somewhere, such as a clone of a
            repository, or a zip archive of one. Nothing in it is changed.
        progress: called with (clips looked at, clips in all).

    Raises:
        UserError: the database can't be imported or is there already, the source is neither folder
            nor zip, or the data root can't be written.
        AnnotationError: the layout breaks its format, an image has another size, or the archive is
            unsafe or too large.
        FrameError: an image can't be read.
    """
    if name not in COLUMNS:
        raise UserError(
            f"database {name!r} can't be imported{did_you_mean(name, COLUMNS)}, only "
            f"{' and '.join(COLUMNS)}; mer-keras data howto NAME says where to put another one"
        )
    if source.is_file() and not zipfile.is_zipfile(source) and _begins_as_zip(source):
        raise AnnotationError(f"{source}: a zip archive without its end: download it anew")
    if not (source.is_dir() or (source.is_file() and zipfile.is_zipfile(source))):
        problem = "is neither a folder nor a zip archive" if source.exists() else "is absent"
        raise UserError(
            f"{source} {problem}: expected the folder of the images, a clone of their repository, "
            f"or a zip; mer-keras data howto {name} says where to get them"
        )
    root = settings.data_roots()[0]
    target = root / registry.get_database(name).folders[0]
    if target.exists():
        raise UserError(f"{target} is there already: remove or rename it first")
    try:
        root.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{name}.", dir=root) as draft:
            folder = source if source.is_dir() else unpack(source, Path(draft) / "unpacked")
            try:
                samples = registry.load(name, folder)
            except AnnotationError as error:
                # The folder of what was unpacked is gone when the message is read.
                raise AnnotationError(str(error).replace(str(folder), str(source))) from error
            damaged = _copy(samples, COLUMNS[name], Path(draft) / "copy", progress)
            if samples.data_kind is DataKind.SYNTHETIC:
                shutil.copyfile(folder / SYNTHETIC_MARKER, Path(draft) / "copy" / SYNTHETIC_MARKER)
            (Path(draft) / "copy").rename(target)
    except OSError as error:
        raise UserError(
            f"{root}: {name} can't be written there ({error.strerror}): make room, or set MER_DATA "
            "to a folder that can be written"
        ) from error
    copied = registry.load(name, target)
    return Imported(
        target,
        Samples(
            copied.table,
            excluded=(*samples.excluded, *damaged),
            # The copy lacks what was left out, so that its counts may differ from the printed ones.
            warnings=tuple(dict.fromkeys((*samples.warnings, *copied.warnings))),
            editions=samples.editions,
            flow_images=copied.flow_images,
        ),
    )


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack the images and tables of a zip archive, and nothing that leads out of the folder.

    Args:
        archive: the file.
        folder: a new one.

    Returns:
        ``folder``.

    Raises:
        AnnotationError: the archive is damaged, encrypted or larger than such a set can be, or an
            entry has an unsafe name, is a link, or stands twice.
    """
    folder.mkdir(parents=True)
    try:
        _check_listed(archive)
        with zipfile.ZipFile(archive) as stored:
            entries = [entry for entry in stored.infolist() if _is_wanted(entry)]
            _check_entries(archive, entries)
            total = 0
            for entry in entries:
                # The size that an entry claims may be wrong: bytes are counted as they come out.
                with stored.open(entry) as file:
                    content = file.read(MAX_FILE_BYTES + 1)
                total += len(content)
                if len(content) > MAX_FILE_BYTES or total > MAX_BYTES:
                    raise _too_large(archive, entry.filename)
                path = folder.joinpath(*PurePosixPath(entry.filename).parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    except AnnotationError:
        raise
    except OSError as error:
        if error.errno is not None:  # The disk's, not the archive's.
            raise
        raise _damaged(archive, error) from error
    except Exception as error:  # Damaged archives raise a dozen kinds of errors.
        raise _damaged(archive, error) from error
    return folder


def _check_listed(archive: Path) -> None:
    """Count the entries of an archive before a list of them is made, which takes far more memory.

    Raises:
        AnnotationError: there are too many, or the file is too large.
    """
    if archive.stat().st_size > MAX_ARCHIVE_BYTES:
        raise _too_large(archive, f"{archive.stat().st_size:,} bytes")
    with archive.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        listed = sum(1 for _ in re.finditer(_ENTRY, data))
    if listed > MAX_LISTED:
        raise _too_large(archive, f"{listed:,} entries")


def _begins_as_zip(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04"


def _is_wanted(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts)
    return not entry.is_dir() and not hidden and path.suffix.lower() in _WANTED


def _check_entries(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise _too_large(archive, f"{len(entries):,} images and tables")
    names = set()
    for entry in entries:
        name = entry.filename
        parts = PurePosixPath(name).parts
        if "\\" in name and ".." not in name and ":" not in name and name[0] != "\\":
            raise AnnotationError(
                f"{archive}: entry {name[:100]!r} has backslashes between its folders, as some "
                "programs write them: unpack it with that program, and import the folder"
            )
        if PurePosixPath(name).is_absolute() or ".." in parts or set("\\:\0") & set(name):
            raise AnnotationError(
                f"{archive}: entry {name[:100]!r} leads out of the archive's folder: expected "
                "names below it; get the archive anew from its publishers"
            )
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise AnnotationError(f"{archive}: entry {name[:100]!r} is a link: expected a file")
        if entry.flag_bits & 1:
            raise AnnotationError(f"{archive}: is encrypted: unpack it, and import the folder")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise AnnotationError(
                f"{archive}: an unusual kind of compression: unpack it, and import the folder"
            )
        if name.casefold() in names:
            raise AnnotationError(
                f"{archive}: entry {name[:100]!r} stands twice: get the archive anew"
            )
        names.add(name.casefold())


def _too_large(archive: Path, what: str) -> AnnotationError:
    return AnnotationError(
        f"{archive}: {what[:100]}: expected at most {MAX_ENTRIES:,} files of {MAX_FILE_BYTES:,} "
        f"bytes, {MAX_BYTES:,} bytes in all: this is no such set of images"
    )


def _damaged(archive: Path, error: Exception) -> AnnotationError:
    return AnnotationError(f"{archive}: a damaged zip archive ({error}): download it anew")


def _copy(
    samples: Samples, columns: Mapping[str, str], folder: Path, progress: CountProgress | None
) -> list[Excluded]:
    """Decode and copy the images of all clips, and list them; return the damaged ones.

    Raises:
        AnnotationError: an image has another size, or none is whole.
    """
    (folder / "images").mkdir(parents=True)
    damaged, lines = [], []
    for done, row in enumerate(samples.table.itertuples(), start=1):
        stem = f"{row.database}_{row.subject}_{row.clip}"
        images = samples.flow_images[row.sample_id]
        ends = {name: f"_{name}" if len(columns) > 1 else "" for name in columns}
        try:
            files = [_copy_image(images[name], folder, stem + end) for name, end in ends.items()]
        except frames.UnreadableImageError as error:
            damaged.append(Excluded(row.database, f"{row.subject}/{row.clip}", error.reason))
        else:
            lines.append([row.database, row.subject, row.clip, row.emotion, *files])
        if progress:
            progress(done, len(samples.table))
    if not lines:
        raise AnnotationError(f"no image of {len(samples.table)} clips is whole: get them anew")
    with (folder / "samples.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["database", "subject", "clip", "emotion", *columns.values()])
        table.writerows(lines)
    return damaged


def _copy_image(image: FlowImage, folder: Path, stem: str) -> str:
    """Copy an image after it was decoded; return its path in the new folder."""
    content = frames.read_bytes(image.path)
    height, width = frames.decode(content, image.path, gray=False).shape[:2]
    if (height, width) != (SIDE, SIDE):
        raise AnnotationError(
            f"{image.path}: {width}x{height} pixels, expected {SIDE}x{SIDE}: another set of images"
        )
    file = f"images/{stem}{image.path.suffix.lower()}"
    (folder / file).write_bytes(content)
    return file
