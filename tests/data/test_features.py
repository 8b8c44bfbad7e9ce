"""The feature query gives the same table from DuckDB, Spark and pandas, from NDJSON and from Parquet, to the last bit."""

import gzip
import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from carelab.errors import UserError
from carelab.fhir.features import (
    LABS,
    duckdb_tables,
    feature_sql,
    features,
    pandas_features,
    spark_features,
    spark_session,
    to_parquet,
)
from carelab.paths import ROOT

REALDATA = ROOT.parent / "shared" / "realdata"
CODES = [code for codes in LABS.values() for code in codes]


def encounter(number: int, patient: int, kind: str, start: str, end: str | None) -> dict[str, Any]:
    period = {"start": start} | ({"end": end} if end else {})
    return {
        "resourceType": "Encounter", "id": f"enc-{number:04d}", "class": {"code": kind}, "status": "finished",
        "subject": {"reference": f"Patient/p{patient:02d}"}, "period": period,
    }  # fmt: skip


def random_export(folder: Path) -> Path:
    """An export in which much happens at one time, zones are mixed, and values have many decimals."""
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2025-03-01T12:00:00Z") + pd.to_timedelta(rng.integers(0, 60, 900), unit="D")
    zones = rng.choice(["UTC", "America/Chicago", "Europe/Berlin"], 900)
    kinds, patients, days = rng.choice(["AMB", "EMER", "IMP"], 900), rng.integers(0, 40, 900), rng.integers(0, 4, 900)
    encounters = [
        encounter(
            int(i), int(patients[i]), str(kinds[i]), start[i].tz_convert(zones[i]).isoformat(),
            None if i % 50 == 0 else (start[i] + pd.Timedelta(days=int(days[i]))).isoformat(),
        )
        for i in rng.permutation(900)
    ]  # fmt: skip
    observations = [
        {
            "resourceType": "Observation", "id": f"obs-{i:05d}", "status": "final" if i % 30 else "entered-in-error",
            "subject": {"reference": f"{'urn:uuid:' if i % 2 else 'Patient/'}p{rng.integers(0, 45):02d}"},
            "code": {"coding": [{"code": str(rng.choice(CODES))}]}, "valueQuantity": {"value": float(rng.gamma(9, 7))},
        }
        for i in range(3000)
    ]  # fmt: skip
    observations.append(
        {"resourceType": "Observation", "id": "text", "subject": {"reference": "Patient/p00"}, "valueString": "x"}
    )
    folder.mkdir()
    (folder / "Encounter.ndjson").write_bytes(b"\n".join(map(orjson.dumps, encounters)) + b"\n")
    (folder / "Observation.ndjson.gz").write_bytes(gzip.compress(b"\n".join(map(orjson.dumps, observations)) + b"\n"))
    return folder


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_export(tmp_path_factory.mktemp("export") / "it's fhir")


def same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_exact=True)


def test_known_answers(tmp_path: Path) -> None:
    encounters = [
        encounter(1, 1, "IMP", "2025-01-01T10:00:00-06:00", "2025-01-05T10:00:00-06:00"),
        encounter(2, 1, "AMB", "2025-01-20T10:00:00-06:00", "2025-01-20T10:30:00-06:00"),
        encounter(3, 1, "EMER", "2025-02-04T16:00:00Z", "2025-02-04T20:00:00Z"),  # 30 days to the second
        encounter(4, 1, "IMP", "2025-03-06T20:00:01Z", None),  # 30 days and one second
        encounter(5, 2, "IMP", "2025-01-01T10:00:00Z", "2025-01-09T10:00:00Z"),
        encounter(6, 2, "IMP", "2025-01-08T10:00:00Z", "2025-01-10T10:00:00Z"),  # overlaps: no revisit
    ]
    (tmp_path / "Encounter.ndjson").write_bytes(b"\n".join(map(orjson.dumps, encounters)))
    found = features(tmp_path).set_index("patient_id")
    assert found.loc["p01", ["encounters", "ambulatory", "emergency", "inpatient", "revisits_30d"]].tolist() == [
        4,
        1,
        1,
        2,
        1,
    ]
    assert found.loc["p02", "revisits_30d"] == 0
    assert found["lab_values"].eq(0).all()
    assert found["mean_bmi"].isna().all()


def test_pandas_and_duckdb_agree(export: Path, tmp_path: Path) -> None:
    expected = pandas_features(export)
    assert len(expected) == 45
    assert expected["revisits_30d"].sum() > 100
    for threads in (1, 2):
        same(features(export, threads=threads), expected)
    to_parquet(export, tmp_path / "parquet")
    same(features(tmp_path / "parquet"), expected)


def test_panels_in_folders_of_their_own_are_one_export(export: Path, tmp_path: Path) -> None:
    lines = (export / "Encounter.ndjson").read_bytes().splitlines(keepends=True)
    for name, part in (("panel-000", lines[:400]), ("panel-001", lines[400:])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Encounter.ndjson").write_bytes(b"".join(part))
    shutil.copy(export / "Observation.ndjson.gz", tmp_path / "panel-000")
    same(features(tmp_path), pandas_features(export))
    same(pandas_features(tmp_path), pandas_features(export))


def test_the_window_needs_its_tie_break(export: Path) -> None:
    """Several stays of a patient begin at one time: without a tie-break, the order of the file decides."""
    sql = feature_sql()
    assert "order by start_us, encounter_id" in sql
    counts = set()
    for order in ("encounter_id", "hash(encounter_id)", "hash(encounter_id || 'x')", "encounter_id desc"):
        with duckdb_tables(export, threads=1) as connection:
            untied = sql.replace("order by start_us, encounter_id", f"order by start_us, {order}")
            counts.add(int(connection.sql(untied).df()["revisits_30d"].sum()))
    assert len(counts) > 1


def test_a_folder_without_an_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="FHIR bulk export"):
        features(tmp_path)


@pytest.mark.skipif(not REALDATA.is_dir(), reason="the real files are not on this machine")
def test_they_agree_on_synthea() -> None:
    expected = pandas_features(REALDATA / "synthea-ndjson")
    assert (expected["encounters"].sum(), expected["inpatient"].sum()) == (3199, 99)
    assert len(expected) == 120
    same(features(REALDATA / "synthea-ndjson"), expected)


needs_spark = pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None or shutil.which("java") is None,
    reason="needs the extra `spark` and Java 17: pip install pyspark",
)


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    session = spark_session()
    yield session
    session.stop()


@needs_spark
def test_spark_gives_the_same(spark: Any, export: Path, tmp_path: Path) -> None:
    expected = pandas_features(export)
    same(spark_features(spark, export), expected)
    to_parquet(export, tmp_path / "parquet")
    same(spark_features(spark, tmp_path / "parquet"), expected)


@needs_spark
def test_spark_reads_an_export_without_observations(spark: Any, export: Path, tmp_path: Path) -> None:
    shutil.copy(export / "Encounter.ndjson", tmp_path)
    same(spark_features(spark, tmp_path), pandas_features(tmp_path))


@pytest.mark.skipif(importlib.util.find_spec("pyspark") is not None, reason="Spark is installed")
def test_without_spark_one_sentence_says_so() -> None:
    with pytest.raises(UserError, match="extra `spark`"):
        spark_session()
