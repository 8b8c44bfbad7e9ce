"""Flat tables of an export of Lakeshore Health, one module a subject."""

from pathlib import Path

import duckdb
import pandas as pd

from carelab.errors import UserError
from carelab.fhir.tables.alerts import ALERTS
from carelab.fhir.tables.authorization import AUTHORIZATION
from carelab.fhir.tables.engine import Subject, connect
from carelab.fhir.tables.messages import MESSAGES
from carelab.fhir.tables.readmission import READMISSION
from carelab.fhir.tables.scheduling import SCHEDULING
from carelab.fhir.tables.security import SECURITY

SUBJECTS: tuple[Subject, ...] = (SCHEDULING, READMISSION, AUTHORIZATION, MESSAGES, ALERTS, SECURITY)
TABLES = (*(table for subject in SUBJECTS for table in subject.tables), "weather")


def subject_of(table: str) -> Subject:
    """The subject that makes a table; scheduling also for the weather. Raises UserError for other names."""
    if table not in TABLES:
        raise UserError(f"There is no table {table!r}; choose one of {', '.join(TABLES)}.")
    return next((subject for subject in SUBJECTS if table in subject.tables), SCHEDULING)


def open_tables(*folders: Path | str, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection that holds every table of `TABLES`; see `engine.connect`."""
    return connect(SUBJECTS, *folders, threads=threads)


def in_order(table: str) -> str:
    """SQL that selects a table in its order: by its columns, the key first. Raises UserError for other names."""
    subject_of(table)
    return f"select * from {table} order by all"


def flatten(table: str, *folders: Path | str) -> pd.DataFrame:
    """One table of the export as a DataFrame, sorted by its columns, the key first.

    table: one of `TABLES`; folders: where the NDJSON files lie. Raises UserError as `engine.connect` does.
    """
    # What a subject builds on stands before it.
    needed = SUBJECTS[: SUBJECTS.index(subject_of(table)) + 1]
    with connect(needed, *folders) as connection:
        frame: pd.DataFrame = connection.sql(in_order(table)).df()
    return frame
