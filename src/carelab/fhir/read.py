"""Reading FHIR: bulk exports, bundles, single resources, and folders that mix them."""

import zlib
from collections.abc import Iterator
from gzip import BadGzipFile
from pathlib import Path

import orjson

from carelab.errors import UserError
from carelab.fhir.feed import Feed
from carelab.fhir.release import Resource as Resource
from carelab.fhir.scan import open_plain


def read(path: Path | str, quarantine: Path | str | None = None, shape: bool = False) -> Feed:
    """The resources of a file or a folder, to be gone through as often as you like, one at a time.

    Takes NDJSON, bundles, lists and single resources, plain or gzipped, in any mixture of folders. Without quarantine,
    the first thing that is no R4 resource ends the reading with a UserError that names its file and line. With it, such
    things are written to `<quarantine>/quarantine.ndjson` with reason and origin, and the rest goes on. shape: judge each
    resource by the schema too (about a thousand a second). Raises UserError when the path is not there or holds no FHIR.
    """
    return Feed(Path(path), None if quarantine is None else Path(quarantine), shape)


def read_ndjson(path: Path | str) -> Iterator[Resource]:
    """JSON objects of an NDJSON file (`.ndjson` or `.ndjson.gz`), in the file's order, one at a time.

    Empty lines and a byte-order mark at the start are skipped. Raises UserError that names the file, and the line
    where there is one: the file is missing or not gzip, a line is not JSON, or a line is not a JSON object.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path} is not there; check the folder and the spelling of the file's name.")
    number = 0
    try:
        with open_plain(path) as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                resource = orjson.loads(line)
                if not isinstance(resource, dict):
                    raise UserError(f"{path}, line {number}: not a JSON object; write one resource on each line.")
                yield resource
    except orjson.JSONDecodeError as error:
        raise UserError(f"{path}, line {number}: not valid JSON ({error}); mend or drop the line.") from error
    except (BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path}: not a whole gzip file ({error}); fetch it again.") from error


def ndjson_files(folder: Path | str) -> list[Path]:
    """The NDJSON files of a folder, sorted by name. Raises UserError when there is none."""
    folder = Path(folder)
    files = sorted([*folder.glob("*.ndjson"), *folder.glob("*.ndjson.gz")])
    if not files:
        raise UserError(f"{folder} has no .ndjson or .ndjson.gz file; give the folder of a FHIR bulk export.")
    return files
