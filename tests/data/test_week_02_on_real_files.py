"""Week 2's notebooks on files this project did not write, as a reader meets them who has some: a folder `own_files`."""

import gzip
import json
import shutil
from collections import Counter
from pathlib import Path

import duckdb
import nbformat
import pandas as pd
import pytest

from carelab.build.execute import execute
from carelab.grading.rebuild import answers, read_notebook
from carelab.paths import ROOT, SOLUTIONS

REAL = ROOT.parent / "shared" / "realdata"
WEEK = SOLUTIONS / "week_02_healthcare_data_flows"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the real files (../shared/realdata) are not on this machine")


def printed(stem: str, words: str, files: Path) -> str:
    """What the code cell that holds `words` prints, with a folder `own_files` of these files beside the notebook."""
    notebook = nbformat.read(WEEK / f"{stem}.ipynb", as_version=4)
    place = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and words in cell.source)
    lay_out = nbformat.v4.new_code_cell(f"import shutil\nshutil.copytree({str(files)!r}, 'own_files');")
    notebook.cells = [lay_out, *notebook.cells[: place + 1]]
    return "".join(output.get("text", "") for output in execute(notebook, stem).cells[-1].outputs)


def unpack(source: Path, folder: Path) -> None:
    (folder / source.stem).write_bytes(gzip.decompress(source.read_bytes()))


@pytest.fixture(scope="module")
def exercises() -> dict[str, object]:
    """The functions of the reference solutions, by name."""
    names: dict[str, object] = {"duckdb": duckdb, "pd": pd}
    notebook = read_notebook(WEEK / "exercises.ipynb")
    imports = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
    exec(imports.replace("%xmode Minimal", ""), names)
    for source in answers(notebook).values():
        exec(source, names)
    return names


def test_the_project_counts_synthea_s_returns(tmp_path: Path) -> None:
    """126 returns of 6 people with the planned ones, 82 by the rule: the figures in the project's text."""
    unpack(REAL / "synthea-readmissions" / "Encounter.ndjson.gz", tmp_path)
    said = printed("project", 'Path("own_files")', tmp_path)
    assert "planned counted: 126 returns of 6 people" in said
    assert "the rule: 82 returns" in said


def test_the_lesson_reports_on_us_core_and_synthea(tmp_path: Path) -> None:
    for path in sorted((REAL / "us-core-examples").glob("*.json"))[:12]:
        shutil.copy(path, tmp_path)
    unpack(REAL / "synthea-ndjson" / "Patient.ndjson.gz", tmp_path)
    said = printed("lesson", 'Path("own_files")', tmp_path)
    assert "Patient" in said and "120" in said
    assert "nothing to read" not in said


def test_an_exercise_s_sql_reads_synthea(exercises: dict[str, object]) -> None:
    path = REAL / "synthea-ndjson" / "Encounter.ndjson.gz"
    resources = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    for code, count in Counter(resource["class"]["code"] for resource in resources).items():
        found = exercises["finished_stays"](str(path), code)  # type: ignore[operator]
        assert len(found) == count
        assert not found["patient_id"].str.contains("/").any()


def test_an_exercise_finds_synthea_valid_as_r4_and_not_as_r5(exercises: dict[str, object]) -> None:
    path = REAL / "synthea-ndjson" / "Encounter.ndjson.gz"
    some = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()][:50]
    assert exercises["share_valid"](some, exercises["EncounterR4B"]) == 1  # type: ignore[operator]
    assert exercises["share_valid"](some, exercises["EncounterR5"]) == 0  # type: ignore[operator]
