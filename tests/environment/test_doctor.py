"""The doctor: each check that matters can fail, and says what to do then."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from carelab import bootstrap, cli, doctor, paths
from carelab.doctor import Finding


def test_a_healthy_environment_passes() -> None:
    checks = (doctor.python, doctor.packages, doctor.package, lambda: doctor.disk(paths.ROOT), doctor.kernel)
    assert [check() for check in checks if check().state == "fails"] == []


def test_a_kernel_is_really_started() -> None:
    found = doctor.kernel()
    assert found.state == "ok" and found.found.startswith("1 + 1 = 2 after")


def test_a_kernel_that_cannot_start_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    import jupyter_client.manager

    def refuse(**_: object) -> None:
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(jupyter_client.manager, "start_new_kernel", refuse)
    found = doctor.kernel()
    assert found.state == "fails" and "does not start" in found.found and found.cure


def test_another_python_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise bootstrap.SetupError("needs another Python.")

    monkeypatch.setattr(bootstrap, "check_python", refuse)
    assert doctor.python().state == "fails"


@pytest.mark.parametrize(
    ("line", "words"),
    [("nbgrader==0.0.1 \\\n", "instead of 0.0.1"), ("no-such-package==1.0 \\\n", "missing: no-such-package")],
)
def test_a_package_that_differs_from_the_lock_is_a_finding(line: str, words: str, tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(line)
    found = doctor.packages(lock)
    assert found.state == "fails" and words in found.found and "lock file" in found.cure


def test_packages_of_other_platforms_are_not_missed(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"no-such-package==1.0 ; sys_platform == 'not-{sys.platform}' \\\n    --hash=sha256:0\n")
    assert doctor.packages(lock).state == "ok"


def test_data_that_were_never_made_are_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "DATA", tmp_path)
    assert doctor.data().state == doctor.files().state == "fails"
    assert "data build" in doctor.data().cure


def test_a_data_file_that_differs_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    from carelab import synth

    monkeypatch.setattr(doctor, "files", lambda: Finding("data", "ok", "there"))
    monkeypatch.setattr(synth, "check", lambda _: ["tables/visits.parquet differs", "b"])
    found = doctor.data()
    assert found.state == "fails" and found.found == "tables/visits.parquet differs (and 1 more)"
    monkeypatch.setattr(synth, "check", lambda _: [])
    assert doctor.data().state == "ok"


def test_a_real_damaged_data_file_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    copy = tmp_path / "synthetic"
    shutil.copytree(paths.DATA, copy)
    damaged = max(copy.rglob("*.parquet"), key=lambda path: path.stat().st_size)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    with pytest.raises(SystemExit) as ended:
        cli.main(["data", "check", "--target", str(copy)])
    assert ended.value.code == 1
    assert damaged.name in capsys.readouterr().err
    (copy / doctor.MANIFEST).write_text("{")
    with pytest.raises(SystemExit) as ended:
        cli.main(["data", "check", "--target", str(copy)])
    assert ended.value.code in (1, 2) and "Traceback" not in capsys.readouterr().err


def test_little_room_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_DISK_GB", 10**9)
    monkeypatch.setattr(doctor, "_MEMORY_GB", 10**9)
    assert doctor.disk(paths.ROOT).state == "fails"
    assert doctor.memory().state == "note", "a small machine can still read the lessons"


def test_a_folder_that_cannot_be_written_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    assert doctor.writable(tmp_path / "not" / "there" / "yet").state == "ok"
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    found = doctor.writable(tmp_path)
    assert found.state == "fails" and "Read-only" in found.found and "--workspace" in found.cure


@pytest.mark.parametrize("check", [doctor.safe_grading, doctor.chromium])
def test_what_only_some_need_never_fails(check: Callable[[], Finding], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda _: None)
    found = check()
    assert found.state == "note" and "nly" in found.cure


def test_a_check_that_breaks_is_a_finding_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Finding:
        raise ZeroDivisionError

    for name in ("python", "packages", "package", "data", "disk", "memory", "writable", "port", "kernel"):
        monkeypatch.setattr(doctor, name, broken)
    rows = list(doctor.examine())
    assert len(rows) == 12 and [row.state for row in rows[:9]] == ["fails"] * 9


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("note", 0), ("fails", 1)])
def test_the_exit_code_says_whether_the_course_can_run(
    state: doctor.State, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda _: iter([Finding("thing", state, "so", "do that")]))
    with pytest.raises(SystemExit) as ended:
        cli.main(["doctor"])
    assert ended.value.code == code
    assert "do that" in capsys.readouterr().out


def test_quick_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    good = Finding("x", "ok", "there")
    for name in ("python", "packages", "package", "files"):
        monkeypatch.setattr(doctor, name, lambda: good)
    doctor.quick()
    assert capsys.readouterr().out.startswith("Everything is in place")
    monkeypatch.setattr(doctor, "packages", lambda: Finding("packages", "fails", "one is missing", "run this."))
    doctor.quick()
    assert capsys.readouterr().out == "Not quite: packages: one is missing. To mend it: run this.\n"


@pytest.mark.parametrize(
    ("wanted", "state", "sentence"),
    [
        ("", "ok", "recorded answers"),
        ("recorded", "ok", "CARELAB_LLM=recorded"),
        ("local", "fails", "python -m carelab model install"),
        ("openai:gpt-none", "fails", "OPENAI_API_KEY"),
        ("nobody:none", "fails", "nobody"),
    ],
)
def test_what_answers_prompts_is_said_and_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, wanted: str, state: str, sentence: str
) -> None:
    from carelab.llm import weights

    monkeypatch.setenv("CARELAB_LLM", wanted)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(weights, "installed", lambda model: False)
    found = doctor.language_model()
    assert found.state == state and sentence in f"{found.found} {found.cure}"
