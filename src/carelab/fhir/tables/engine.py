"""From FHIR resources to flat tables, in SQL.

DuckDB reads the NDJSON files with the columns written out: guessed types differ between files and versions, take four
times as long, and turn wide objects into maps. Times in FHIR are instants; a clinic's day and hour are local.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from carelab.errors import UserError

ZONE = "America/Chicago"
EXTENSION = "https://example.org/fhir/StructureDefinition"
SID = "https://example.org/fhir/sid"  # systems of identifiers
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"

# Small helpers inside SQL. A list is searched with a lambda; index 1 of an empty list is NULL.
_MACROS = f"""
create or replace macro ref_id(reference) as split_part(reference, '/', 2);
create or replace macro ext(list, name) as list_filter(list, lambda e: e.url = '{EXTENSION}/' || name)[1];
create or replace macro actor(list, kind) as
    ref_id(list_filter(list, lambda p: starts_with(p.actor.reference, kind || '/'))[1].actor.reference);
create or replace macro local(instant) as timezone('{ZONE}', instant::timestamptz);
create or replace macro utc(instant) as timezone('UTC', instant::timestamptz);
"""

CODE = "struct(coding struct(code varchar, display varchar)[], text varchar)"
REF = "struct(reference varchar)"
WEATHER_COLUMNS = {
    "zip3": "varchar", "date": "timestamp", "temp_c": "double", "snow_cm": "double", "rain_mm": "double",
    "temp_c_forecast": "double", "snow_cm_forecast": "double", "rain_mm_forecast": "double",
}  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """Tables that belong together.

    columns: resource type -> element -> DuckDB type, for the elements that the SQL reads; each subject has its own, so
    that two subjects may read different parts of one type. tables: name -> SQL over `raw_<Type>` of this subject, over
    `weather`, and over all tables before it, those of earlier subjects included; the first column is the key. needs:
    resource types without which there is nothing to flatten; a missing file of another type counts as an empty one.
    """

    name: str
    columns: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, str]
    needs: tuple[str, ...] = ()


def _literal(columns: Mapping[str, str]) -> str:
    """Column types as a DuckDB struct literal."""
    return "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items()) + "}"


def _files(kind: str, folders: Sequence[Path]) -> list[Path]:
    """All files of a resource type (or the weather) in the folders."""
    names = ["weather.csv"] if kind == "weather" else [f"{kind}.ndjson", f"{kind}.ndjson.gz"]
    return [folder / name for folder in folders for name in names if (folder / name).is_file()]


def _source(kind: str, columns: Mapping[str, str], folders: Sequence[Path]) -> str:
    """SQL that reads all files of a resource type (or the weather) from the folders."""
    files = _files(kind, folders)
    if not files:
        empty = ", ".join(f'null::{type_} as "{name}"' for name, type_ in columns.items())
        return f"select {empty} where false"
    listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    if kind == "weather":
        return f"select * from read_csv([{listed}], header = true, columns = {_literal(columns)})"
    return f"select * from read_json([{listed}], format = 'newline_delimited', columns = {_literal(columns)})"


def connect(subjects: Sequence[Subject], *folders: Path | str, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection that holds the subjects' tables, made from the NDJSON files of the folders.

    The folders hold one `<ResourceType>.ndjson` (or `.ndjson.gz`) a type, and `weather.csv`. Raises UserError when a
    needed file is missing or a line does not have the expected shape.
    """
    paths = [Path(folder) for folder in folders]
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'; set preserve_insertion_order = true")
    if threads:
        connection.execute(f"set threads = {int(threads)}")
    connection.execute(_MACROS)
    try:
        for kind in dict.fromkeys(kind for subject in subjects for kind in subject.needs):
            if not _files(kind, paths):
                where = ", ".join(str(folder) for folder in paths)
                raise UserError(f"{kind}.ndjson is not in {where}; give the folder of the whole FHIR export.")
        connection.execute(f"create table weather as {_source('weather', WEATHER_COLUMNS, paths)}")
        for subject in subjects:
            for kind, columns in subject.columns.items():
                connection.execute(f'create or replace temp table "raw_{kind}" as {_source(kind, columns, paths)}')
            for name, sql in subject.tables.items():
                connection.execute(f"create table {name} as {sql}")
            for kind in subject.columns:
                connection.execute(f'drop table "raw_{kind}"')
    except duckdb.Error as error:
        raise UserError(f"The export cannot be flattened: {str(error).splitlines()[0]}") from error
    return connection
