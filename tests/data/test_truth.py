"""Nothing that only the truth knows stands in a file that a learner's notebook reads."""

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from carelab.paths import DATA

LEARNERS = ("tables", "fhir", "hl7v2", "claims", "documents", "security")
ON_A_FORM = {"red_flag"}  # also a field of the payer's form


def columns(folder: Path) -> set[str]:
    """Names of the columns of a folder's tables."""
    return {name for path in folder.glob("*.parquet") for name in pq.read_schema(path).names}


@pytest.fixture(scope="module")
def secret() -> set[str]:
    """Columns of the truth that no table has, as far as their name is no everyday word; and ids of the traps."""
    names = {name for name in columns(DATA / "truth") - columns(DATA / "tables") if "_" in name}
    return names - ON_A_FORM


def truth_in(folder: Path, secret: set[str]) -> list[str]:
    """Files below a folder with a truth column, or with the name of one, or of a person, in their text."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix == ".parquet":
            told = bool(secret & set(pq.read_schema(path).names))
        else:
            text = path.read_text(encoding="utf-8", errors="replace")
            told = any(word in text for word in (*secret, "person-0"))
        found += [path.name] if told else []
    return found


def test_no_truth_in_what_learners_read(secret: set[str]) -> None:
    assert {
        "p_no_show",
        "true_status",
        "latent_log_odds",
        "person_id",
        "p_readmit",
        "wrong_denial",
        "high_risk",
    } <= secret
    for folder in LEARNERS:
        assert (DATA / folder).is_dir()
        assert truth_in(DATA / folder, secret) == [], folder
    assert truth_in(DATA / "truth", secret) != []


def test_truth_is_found_where_it_leaks(secret: set[str], tmp_path: Path) -> None:
    pd.DataFrame({"stay_id": ["enc-1"], "p_readmit": [0.1]}).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.ndjson").write_text('{"id": "x", "identifier": [{"value": "person-000001"}]}')
    (tmp_path / "c.hl7").write_text("ZXX|wrong_denial")
    (tmp_path / "d.md").write_text("Nothing to see here.")
    assert truth_in(tmp_path, secret) == ["a.parquet", "b.ndjson", "c.hl7"]


def test_no_trap_s_name_in_what_learners_read() -> None:
    ids = {trap["id"] for trap in json.loads((DATA / "truth" / "traps.json").read_text(encoding="utf-8"))}
    assert len(ids) >= 30
    for folder in ("fhir", "hl7v2", "claims", "documents"):
        for path in (path for path in (DATA / folder).rglob("*") if path.is_file() and path.name != "README.md"):
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not [name for name in ids if name in text], path.name
