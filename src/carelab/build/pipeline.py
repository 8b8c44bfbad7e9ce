"""Build the course: which notebooks are out of date, in parallel, and whether what is committed is what would be built."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from carelab import files, landing
from carelab.build import lint, release, source, tasks
from carelab.build.execute import execute, without_outputs
from carelab.errors import UserError
from carelab.paths import COURSE, DATA, RECORDINGS, RELEASE, ROOT, SOLUTIONS, TASKS

MEND = "python -m carelab build"
RECORD = "BUILD.json"
LANDING = "START_HERE.ipynb"
_PACKAGE = Path(__file__).parents[1]
# What a notebook can import: a change here may change its outputs.
_LIBRARY = ("__init__.py", "files.py", "paths.py", "plots.py", "quiet.py", "fhir", "learner", "build")


@dataclass
class Report:
    """What a build or a check found: notebooks built, warnings, and what is wrong (empty when all is well)."""

    built: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def texts(weeks: Iterable[str] = ()) -> list[Path]:
    """The authors' texts of the named week folders (all when none is named), sorted."""
    wanted = set(weeks)
    found = sorted(path for path in COURSE.glob("week_*/*.py") if not wanted or path.parent.name in wanted)
    missing = wanted - {path.parent.name for path in found}
    if missing:
        raise UserError(f"course/ has no text for {', '.join(sorted(missing))}.")
    return found


def key(text: Path) -> str:
    """Name of a notebook in messages and in the build record: `week_01_ml_fundamentals/lesson`."""
    return f"{text.parent.name}/{text.stem}"


def library_digest() -> str:
    """Hash of all that any notebook's outputs depend on besides its own text: library, data, pinned packages."""
    inputs = [path for part in _LIBRARY for path in _files(_PACKAGE / part)]
    return _digest([*inputs, ROOT / "requirements.lock", DATA / "MANIFEST.json", COURSE / "nbgrader_config.py"])


def uses_models(text: Path) -> bool:
    """Whether a notebook can send a prompt: only these depend on the recordings."""
    return bool(re.search(r"\bllm\b", text.read_text(encoding="utf-8")))


@cache
def _models_digest() -> str:
    """Hash of what the outputs of a notebook with a model depend on in addition."""
    return _digest([*_files(_PACKAGE / "llm"), *sorted(RECORDINGS.glob("*.jsonl"))])


def _digest(inputs: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in inputs:
        digest.update(path.name.encode() + b"\0" + _text(path) + b"\0")
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    kinds = (".py", ".toml", ".json")
    return sorted(p for p in path.rglob("*") if p.suffix in kinds) if path.is_dir() else [path]


def _text(path: Path) -> bytes:
    return path.read_bytes().replace(b"\r\n", b"\n") if path.is_file() else b""


def fingerprint(text: Path, library: str) -> str:
    """Hash by which a built notebook is known to be up to date."""
    models = _models_digest() if uses_models(text) else ""
    return hashlib.sha256(_text(text) + library.encode() + models.encode()).hexdigest()[:16]


def build(
    weeks: Iterable[str] = (), *, force: bool = False, jobs: int | None = None, console: Console | None = None
) -> Report:
    """Bring solutions/ and weeks_01-12/ up to date with course/. Only what changed is run again.

    A notebook is replaced only when it ran and kept the house rules; a release only when all of its week did.
    Raises UserError when a text, a cell or a house rule fails.
    """
    report = Report()
    library = library_digest()
    wanted = texts(weeks)
    record = _read_record()
    stale = [text for text in wanted if force or not _is_current(text, library, record)]
    for text, notebook, findings in _run_all(stale, jobs or os.cpu_count() or 1, console or Console(stderr=True)):
        report.problems += [f"{key(text)}, cell {f.cell}: {f.sentence}" for f in findings if f.fatal]
        report.warnings += [f"{key(text)}, cell {f.cell}: {f.sentence}" for f in findings if not f.fatal]
        if any(f.fatal for f in findings):
            continue
        _write_notebook(notebook, SOLUTIONS / text.parent.name / f"{text.stem}.ipynb")
        record[key(text)] = fingerprint(text, library)
        _write_record(record)
        report.built.append(key(text))
    if report.problems:
        raise UserError("\n".join(report.problems))
    for week in sorted({text.parent.name for text in wanted}):
        _write_tasks(week, SOLUTIONS)
        _release(week)
    _write_record(record)
    _write_notebook(landing_notebook(), RELEASE / LANDING)
    landing.update_readme()
    return report


def check() -> Report:
    """Compare what is committed with what the texts would give, without running a cell (nbval does that)."""
    report = Report()
    library = library_digest()
    record = _read_record()
    for text in texts():
        parsed = source.read(text)
        built = SOLUTIONS / text.parent.name / f"{text.stem}.ipynb"
        if not built.is_file():
            report.problems.append(f"{key(text)} was never built.")
        elif not _is_current(text, library, record):
            report.problems.append(f"{key(text)} is older than its text, the library, the data or the lock.")
        elif without_outputs(nbformat.read(built, as_version=4)) != without_outputs(parsed.notebook):
            report.problems.append(f"solutions/{key(text)}.ipynb was edited by hand; `carelab sync` brings edits back.")
    report.problems += _foreign_files()
    for week in sorted({text.parent.name for text in texts()}):
        report.problems += _release_drift(week)
    if _dump(landing_notebook()) != _text(RELEASE / LANDING).decode():
        report.problems.append(f"weeks_01-12/{LANDING} is older than course/curriculum.toml.")
    if not landing.readme_is_current():
        report.problems.append("README.md is older than course/curriculum.toml.")
    return report


def landing_notebook() -> NotebookNode:
    """The learners' first page, made from the curriculum."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "START_HERE.py"
        path.write_text(landing.landing_source(), encoding="utf-8")
        notebook = source.read(path).notebook
    problems = [finding.sentence for finding in lint.lint(notebook) if finding.fatal]
    if problems:
        raise UserError(f"The landing page: {' '.join(problems)}")
    return notebook


def _is_current(text: Path, library: str, record: dict[str, str]) -> bool:
    built = SOLUTIONS / text.parent.name / f"{text.stem}.ipynb"
    return built.is_file() and record.get(key(text)) == fingerprint(text, library)


def _run_all(stale: list[Path], jobs: int, console: Console) -> Iterator[tuple[Path, NotebookNode, list[lint.Finding]]]:
    """Parse all first, so that a bad marker is known in a second; then run them over processes."""
    for text in stale:
        source.read(text)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, ProcessPoolExecutor(max_workers=jobs) as pool:
        running = {pool.submit(make, text): progress.add_task(f"running {key(text)}", total=1) for text in stale}
        for future in as_completed(running):
            text, notebook, findings = future.result()
            progress.update(running[future], completed=1, description=f"built {key(text)}")
            yield text, notebook, findings


def make(text: Path) -> tuple[Path, NotebookNode, list[lint.Finding]]:
    """One text to its executed notebook and what the house rules say of it."""
    notebook = execute(source.read(text).notebook, key(text))
    return text, notebook, lint.lint(notebook)


def _release(week: str) -> None:
    with tempfile.TemporaryDirectory(dir=RELEASE.parent) as folder:
        release.generate(SOLUTIONS, week, Path(folder))
        release.swap(Path(folder) / week, RELEASE / week)


def _release_drift(week: str) -> list[str]:
    if not all((SOLUTIONS / week / f"{text.stem}.ipynb").is_file() for text in texts([week])):
        return []  # reported already as never built
    with tempfile.TemporaryDirectory() as folder:
        wanted_tasks = Path(folder) / "tasks"
        _write_tasks(week, wanted_tasks)
        drift = _differences(wanted_tasks / week, SOLUTIONS / week, f"solutions/{week}", only=TASKS)
        release.generate(SOLUTIONS, week, Path(folder) / "release")
        return drift + _differences(Path(folder) / "release" / week, RELEASE / week, f"weeks_01-12/{week}")


def _differences(wanted: Path, have: Path, label: str, only: str | None = None) -> list[str]:
    names = (
        {only}
        if only
        else {p.name for folder in (wanted, have) if folder.is_dir() for p in folder.iterdir() if p.is_file()}
    )
    return [
        f"{label}/{name} is not what the build gives."
        for name in sorted(names)
        if _text(wanted / name) != _text(have / name)
    ]


def _foreign_files() -> list[str]:
    """Notebooks in the derived folders that no text stands behind."""
    known = {key(text) for text in texts()}
    return [
        f"{folder.name}/{path.parent.name}/{path.name} has no text in course/."
        for folder in (SOLUTIONS, RELEASE)
        for path in sorted(folder.glob("*/*.ipynb"))
        if f"{path.parent.name}/{path.stem}" not in known
    ]


def _write_tasks(week: str, target: Path) -> None:
    content = tasks.tasks(source.read(text) for text in texts([week]))
    files.write(target / week / TASKS, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _write_record(record: dict[str, str]) -> None:
    current = {key(text) for text in texts()}
    kept = {name: digest for name, digest in sorted(record.items()) if name in current}
    files.write(SOLUTIONS / RECORD, json.dumps(kept, indent=1) + "\n")


def _read_record() -> dict[str, str]:
    path = SOLUTIONS / RECORD
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    except ValueError:
        return {}


def _dump(notebook: NotebookNode) -> str:
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"


def _write_notebook(notebook: NotebookNode, path: Path) -> None:
    files.write(path, _dump(notebook))
