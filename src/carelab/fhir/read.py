"""Reading FHIR bulk exports: one JSON resource a line, plain or gzipped."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from carelab.errors import UserError

Resource = dict[str, Any]


def read_ndjson(path: Path | str) -> Iterator[Resource]:
    """Resources of an NDJSON file (`.ndjson` or `.ndjson.gz`), in the file's order, one at a time.

    Empty lines and a byte-order mark at the start are skipped. Raises UserError that names the file, and the line
    where there is one: the file is missing or not gzip, a line is not JSON, or a line is not a JSON object.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path} is not there; check the folder and the spelling of the file's name.")
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if not text.strip():
                    continue
                resource = orjson.loads(text)
                if not isinstance(resource, dict):
                    raise UserError(f"{path}, line {number}: not a JSON object; write one resource on each line.")
                yield resource
    except orjson.JSONDecodeError as error:
        raise UserError(f"{path}, line {number}: not valid JSON ({error}); mend or drop the line.") from error
    except (gzip.BadGzipFile, EOFError) as error:
        raise UserError(f"{path}: not a whole gzip file ({error}); fetch it again.") from error


def ndjson_files(folder: Path | str) -> list[Path]:
    """The NDJSON files of a folder, sorted by name. Raises UserError when there is none."""
    folder = Path(folder)
    files = sorted([*folder.glob("*.ndjson"), *folder.glob("*.ndjson.gz")])
    if not files:
        raise UserError(f"{folder} has no .ndjson or .ndjson.gz file; give the folder of a FHIR bulk export.")
    return files
