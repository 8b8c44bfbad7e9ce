"""One feature table for large exports, the same from DuckDB, Spark and pandas.

Per patient: encounters by class, revisits within 30 days, mean laboratory values. The SQL is one text that DuckDB and
Spark run unchanged; only reading differs. Two things keep the results equal to the last bit: the window that looks for
the previous stay has a tie-break, without which equal times give another count from run to run; and values are summed
as whole millionths, because sums of decimals depend on the order in which an engine takes the rows.
"""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import duckdb
import numpy as np
import orjson
import pandas as pd

from carelab.errors import UserError

# Column -> LOINC code of the values averaged under it.
LABS: Mapping[str, tuple[str, ...]] = {
    "mean_bmi": ("39156-5",),
    "mean_creatinine": ("2160-0", "38483-4"),
    "mean_glucose": ("2345-7", "2339-0"),
    "mean_hba1c": ("4548-4",),
}
HOSPITAL = ("EMER", "IMP")  # classes whose stays can be revisits
REVISIT_DAYS = 30
_DAY = 86_400 * 1_000_000  # microseconds
TABLES = ("encounters", "labs")

# What is read of the resources; the rest of a line is skipped.
_ENCOUNTER = {
    "id": "varchar", "class": "struct(code varchar)", "subject": "struct(reference varchar)",
    "period": 'struct("start" varchar, "end" varchar)',
}  # fmt: skip
_OBSERVATION = {
    "id": "varchar", "status": "varchar", "subject": "struct(reference varchar)", "code": "struct(coding struct(code varchar)[])",
    "valueQuantity": 'struct("value" double)',
}  # fmt: skip
# The same in the words of Spark's schemas.
_SPARK_ENCOUNTER = "id string, class struct<code: string>, subject struct<reference: string>, period struct<start: string, end: string>"
_SPARK_OBSERVATION = (
    "id string, status string, subject struct<reference: string>, code struct<coding: array<struct<code: string>>>,"
    " valueQuantity struct<value: double>"
)
_PATIENT = "regexp_replace(subject.reference, '^(Patient/|urn:uuid:)', '')"
_KNOWN = "status not in ('cancelled', 'entered-in-error')"


def feature_sql(labs: Mapping[str, Sequence[str]] = LABS) -> str:
    """The query over tables `encounters` (patient_id, encounter_id, class, start_us, end_us: microseconds since 1970 in
    UTC) and `labs` (patient_id, code, value). One row a patient who occurs in either, sorted by patient_id.

    Runs unchanged in DuckDB 2 and Spark 4. A patient without a value has NULL as its mean.
    """
    listed = ", ".join(f"'{kind}'" for kind in HOSPITAL)
    columns = []
    for name, codes in labs.items():
        wanted = f"code in ({', '.join(repr(str(code)) for code in codes)})"
        total = f"sum(case when {wanted} then cast(floor(value * 1000000.0e0 + 0.5e0) as bigint) end)"
        number = f"count(case when {wanted} then 1 end)"
        columns.append(f"cast({total} as double) / cast({number} as double) / 1000000.0e0 as {name}")
    means = ", ".join(columns)
    return f"""
with stays as (
    select patient_id, start_us,
           lag(coalesce(end_us, start_us)) over (partition by patient_id order by start_us, encounter_id) as previous_end_us
    from encounters where class in ({listed})),
revisits as (
    select patient_id, count(*) as revisits_30d from stays
    where start_us >= previous_end_us and start_us - previous_end_us <= {REVISIT_DAYS * _DAY} group by patient_id),
visits as (
    select patient_id, count(*) as encounters,
           count(case when class = 'AMB' then 1 end) as ambulatory,
           count(case when class = 'EMER' then 1 end) as emergency,
           count(case when class = 'IMP' then 1 end) as inpatient
    from encounters group by patient_id),
means as (select patient_id, count(*) as lab_values, {means} from labs where value is not null group by patient_id),
everybody as (select patient_id from visits union select patient_id from means)
select e.patient_id, coalesce(v.encounters, 0) as encounters, coalesce(v.ambulatory, 0) as ambulatory,
       coalesce(v.emergency, 0) as emergency, coalesce(v.inpatient, 0) as inpatient,
       coalesce(r.revisits_30d, 0) as revisits_30d, coalesce(m.lab_values, 0) as lab_values, {", ".join(f"m.{name}" for name in labs)}
from everybody e left join visits v on v.patient_id = e.patient_id
left join revisits r on r.patient_id = e.patient_id left join means m on m.patient_id = e.patient_id
order by e.patient_id"""


def export_files(folder: Path | str, kind: str) -> list[str]:
    """Files of a resource type in an export: plain or gzipped, in the folder or one below it, sorted.

    Raises UserError when the folder holds neither that type nor any other.
    """
    folder = Path(folder)
    found = [
        path for place in (folder, *sorted(p for p in folder.glob("*") if p.is_dir()))
        for name in (f"{kind}.ndjson", f"{kind}.ndjson.gz") if (path := place / name).is_file()
    ]  # fmt: skip
    if not found and not any(folder.rglob("*.ndjson*")):
        raise UserError(f"{folder} has no .ndjson or .ndjson.gz file; give the folder of a FHIR bulk export.")
    return [str(path) for path in found]


def _parquet(folder: Path | str) -> bool:
    return all((Path(folder) / f"{table}.parquet").is_file() for table in TABLES)


def _duckdb_source(folder: Path | str, kind: str, columns: Mapping[str, str]) -> str:
    files = export_files(folder, kind)
    if not files:
        return f"(select {', '.join(f'null::{type_} as {chr(34)}{name}{chr(34)}' for name, type_ in columns.items())} where false)"
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in files)
    typed = ", ".join(f"'{name}': '{kind_}'" for name, kind_ in columns.items())
    return f"read_json([{listed}], format = 'newline_delimited', columns = {{{typed}}})"


def duckdb_tables(folder: Path | str, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with the views `encounters` and `labs` over an export's NDJSON, or over what `to_parquet` wrote."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    if threads:
        connection.execute(f"set threads = {int(threads)}")
    if _parquet(folder):
        for table in TABLES:
            where = str(Path(folder) / f"{table}.parquet").replace("'", "''")
            connection.execute(f"create view {table} as select * from read_parquet('{where}')")
        return connection
    connection.execute(f"""
        create view encounters as
        select {_PATIENT} as patient_id, id as encounter_id, class.code as class,
               epoch_us(period.start::timestamptz) as start_us, epoch_us(period."end"::timestamptz) as end_us
        from {_duckdb_source(folder, "Encounter", _ENCOUNTER)}
        where subject.reference is not null and period.start is not null""")
    connection.execute(f"""
        create view labs as
        select {_PATIENT} as patient_id, code.coding[1].code as code, valueQuantity.value as value
        from {_duckdb_source(folder, "Observation", _OBSERVATION)}
        where subject.reference is not null and valueQuantity.value is not null and {_KNOWN}""")
    return connection


def to_parquet(folder: Path | str, target: Path | str) -> None:
    """Write an export's encounters and laboratory values as typed Parquet, once, so that each query reads only columns."""
    Path(target).mkdir(parents=True, exist_ok=True)
    with duckdb_tables(folder) as connection:
        for table in TABLES:
            where = str(Path(target) / f"{table}.parquet").replace("'", "''")
            connection.execute(f"copy (select * from {table}) to '{where}' (format parquet, compression zstd)")


def features(folder: Path | str, labs: Mapping[str, Sequence[str]] = LABS, threads: int | None = None) -> pd.DataFrame:
    """The feature table of an export (NDJSON folder, or Parquet of `to_parquet`) by DuckDB; shape (patients, 7 + labs)."""
    with duckdb_tables(folder, threads) as connection:
        return _typed(connection.sql(feature_sql(labs)).df())


def spark_features(spark: Any, folder: Path | str, labs: Mapping[str, Sequence[str]] = LABS) -> pd.DataFrame:
    """The same table by Spark. spark: a SparkSession whose time zone is UTC, as `spark_session` makes it."""
    if _parquet(folder):
        for table in TABLES:
            spark.read.parquet(str(Path(folder) / f"{table}.parquet")).createOrReplaceTempView(table)
    else:
        for kind, schema in (("Encounter", _SPARK_ENCOUNTER), ("Observation", _SPARK_OBSERVATION)):
            files = export_files(folder, kind)
            frame = spark.read.schema(schema).json(files) if files else spark.createDataFrame([], schema)
            frame.createOrReplaceTempView(f"raw_{kind}")
        spark.sql(f"""
            create or replace temp view encounters as
            select {_PATIENT} as patient_id, id as encounter_id, class.code as class,
                   unix_micros(cast(period.start as timestamp)) as start_us,
                   unix_micros(cast(period.`end` as timestamp)) as end_us
            from raw_Encounter where subject.reference is not null and period.start is not null""")
        spark.sql(f"""
            create or replace temp view labs as
            select {_PATIENT} as patient_id, code.coding[0].code as code, valueQuantity.value as value
            from raw_Observation
            where subject.reference is not null and valueQuantity.value is not null and {_KNOWN}""")
    found = spark.sql(feature_sql(labs))
    return _typed(pd.DataFrame([tuple(row) for row in found.collect()], columns=found.columns))


def spark_session(cores: int = 2, memory: str = "2g") -> Any:
    """A Spark session on this machine, quiet and with its web page off.

    Raises UserError when pyspark or a Java of version 17 or newer is missing.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UserError(
            "Spark is not installed; it is the extra `spark` of this project (pip install pyspark)."
        ) from error
    builder: Any = SparkSession.builder
    try:
        session = (
            builder.master(f"local[{cores}]")
            .appName("carelab")
            .config("spark.driver.memory", memory)
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.shuffle.partitions", str(2 * cores))
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.log.level", "ERROR")
            .getOrCreate()
        )
    except Exception as error:  # what the gateway raises without Java is of no one class
        raise UserError(f"Spark does not start ({error}); it needs Java 17 or newer on the PATH.") from error
    return session


def pandas_features(folder: Path | str, labs: Mapping[str, Sequence[str]] = LABS) -> pd.DataFrame:
    """The same table from NDJSON by orjson and pandas, step by step, everything in memory: what the others are held
    against."""
    encounters = pd.DataFrame(
        [
            (_subject(e), e.get("id"), e.get("class", {}).get("code"), e["period"]["start"], e["period"].get("end"))
            for e in _lines(export_files(folder, "Encounter"))
            if _subject(e) and e.get("period", {}).get("start")
        ],
        columns=["patient_id", "encounter_id", "class", "start", "end"],
    )
    values = pd.DataFrame(
        [
            (_subject(o), (o.get("code", {}).get("coding") or [{}])[0].get("code"), float(o["valueQuantity"]["value"]))
            for o in _lines(export_files(folder, "Observation"))
            if _subject(o)
            and o.get("valueQuantity", {}).get("value") is not None
            and o.get("status") not in ("cancelled", "entered-in-error", None)
        ],
        columns=["patient_id", "code", "value"],
    )
    start, end = _microseconds(encounters["start"]), _microseconds(encounters["end"])
    encounters = encounters.assign(start=start, end=end.fillna(start))
    kinds = pd.crosstab(encounters["patient_id"], encounters["class"]).reindex(
        columns=["AMB", "EMER", "IMP"], fill_value=0
    )
    kinds.columns = pd.Index(["ambulatory", "emergency", "inpatient"])
    stays = encounters[encounters["class"].isin(HOSPITAL)].sort_values(["patient_id", "start", "encounter_id"])
    gap = stays["start"] - stays.groupby("patient_id")["end"].shift()
    revisits = gap.between(0, REVISIT_DAYS * _DAY).groupby(stays["patient_id"]).sum()

    values["millionths"] = np.floor(values["value"] * 1e6 + 0.5).astype("int64")
    found = {
        name: values[values["code"].isin(codes)].groupby("patient_id")["millionths"].agg(["sum", "count"])
        for name, codes in labs.items()
    }
    everybody = sorted({*encounters["patient_id"], *values["patient_id"]})
    table = pd.DataFrame(index=pd.Index(everybody, name="patient_id"))
    table["encounters"] = encounters.groupby("patient_id").size()
    table = table.join(kinds)
    table["revisits_30d"] = revisits
    table["lab_values"] = values.groupby("patient_id").size()
    table = table.fillna(0)
    for name, totals in found.items():
        table[name] = totals["sum"].astype(float) / totals["count"].astype(float) / 1e6
    return _typed(table.reset_index())


def _lines(files: Iterable[str]) -> Iterable[Any]:
    for name in files:
        with gzip.open(name) if name.endswith(".gz") else Path(name).open("rb") as lines:
            for line in lines:
                if line.strip():
                    yield orjson.loads(line)


def _subject(resource: Mapping[str, Any]) -> str | None:
    reference = (resource.get("subject") or {}).get("reference")
    return reference.removeprefix("Patient/").removeprefix("urn:uuid:") if reference else None


def _microseconds(instants: "pd.Series[Any]") -> "pd.Series[Any]":
    """Microseconds since 1970 of FHIR instants of any zone; missing where there is none."""
    times = pd.to_datetime(instants, utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    return cast("pd.Series[Any]", times.astype("int64").astype("Int64").where(times.notna()))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers as int64 and means as float64, whatever the engine gives; rows sorted by patient_id."""
    frame = frame.sort_values("patient_id", ignore_index=True)
    counts = ["encounters", "ambulatory", "emergency", "inpatient", "revisits_30d", "lab_values"]
    means = [name for name in frame.columns if name not in ("patient_id", *counts)]
    kinds: dict[str, str] = {
        **dict.fromkeys(counts, "int64"),
        **dict.fromkeys(means, "float64"),
        "patient_id": "object",
    }
    return frame.astype(kinds)
