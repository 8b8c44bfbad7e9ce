"""`carelab test`: every part runs, whatever the one before did, and one failure is enough to fail."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.console import Console

from carelab.cli import parts
from carelab.errors import UserError

GOOD, BAD = [sys.executable, "-c", "print('fi' + 'ne')"], [sys.executable, "-c", "raise SystemExit(3)"]


def fake(monkeypatch: pytest.MonkeyPatch, **commands: list[list[str]]) -> None:
    monkeypatch.setattr(parts, "PARTS", {name: (lambda c=c: c) for name, c in commands.items()})


def test_a_failing_part_fails_the_run_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fake(monkeypatch, first=[BAD, GOOD], second=[GOOD])
    assert parts.run_parts([]) == 1
    shown = capfd.readouterr().out
    assert shown.count("fine") == 2, "the second command and the second part ran"
    assert shown.count("FAILED") == 1 and shown.count("passed") == 1


def test_all_parts_passing_is_success(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, first=[GOOD], second=[GOOD])
    assert parts.run_parts([]) == 0


def test_only_the_named_part_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, first=[BAD], second=[GOOD])
    assert parts.run_parts(["second"]) == 0
    assert parts.run_parts(["first", "second"]) == 1
    with pytest.raises(UserError, match="no part"):
        parts.run_parts(["third"])


def test_no_notebooks_is_a_failure_and_not_a_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "SOLUTIONS", tmp_path)
    outcome = parts.run_part("notebooks", parts.notebooks, Console(quiet=True))
    assert not outcome.passed
    (tmp_path / "lesson.ipynb").touch()
    assert parts.notebooks()[0][-1] == tmp_path.name


def test_children_report_to_nobody(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    code = "import os; print(os.environ['MLFLOW_DISABLE_TELEMETRY'], os.environ['ORT_DISABLE_TELEMETRY'])"
    fake(monkeypatch, only=[[sys.executable, "-c", code]])
    assert parts.run_parts([]) == 0
    assert "true 1" in capfd.readouterr().out


def test_the_parts_are_the_ones_that_are_promised() -> None:
    assert list(parts.PARTS) == ["lint", "build", "data", "pytest", "notebooks"]
    assert any("mypy" in command for command in parts.lint())
    assert "loadgroup" in parts.pytest()[0]  # tests/conftest.py says which tests stay together
    assert "loadfile" in parts.notebooks()[0]
