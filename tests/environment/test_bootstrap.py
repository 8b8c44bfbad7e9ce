"""Set-up: which Python, which environment, and a sentence for everything that can go wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from carelab import bootstrap, paths
from carelab.bootstrap import SetupError, Venv


def one_sentence(text: str) -> bool:
    return "\n" not in text and text.endswith(".")


def fake_venv(root: Path, *, stamped: bool = True, developer: bool = False) -> Venv:
    """An environment as set-up leaves it, except that its Python runs nothing."""
    venv = Venv(root / ".venv")
    venv.python.parent.mkdir(parents=True)
    venv.python.touch()
    (venv.folder / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\nversion = 3.12.4\n")
    if stamped:
        venv.stamp.write_text(json.dumps(venv.wanted(developer)))
    return venv


def test_the_bounds_are_those_of_the_project() -> None:
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest, too_new = (".".join(map(str, bound)) for bound in (bootstrap.OLDEST, bootstrap.TOO_NEW))
    assert project["requires-python"] == f">={oldest},<{too_new}"


@pytest.mark.parametrize("version", [(3, 11, 5), (3, 12, 0), (3, 13, 9)])
def test_a_fitting_python_is_accepted(version: tuple[int, ...]) -> None:
    bootstrap.check_python(version)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ((3, 11, 4), "needs Python 3.11.5 or newer, this is 3.11.4"),
        ((3, 8, 18), "needs Python 3.11.5 or newer, this is 3.8.18"),
        ((3, 14, 0), "needs a Python older than 3.14, this is 3.14.0"),
    ],
)
def test_another_python_gets_one_sentence(
    version: tuple[int, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "better_python", lambda: "")
    with pytest.raises(SetupError) as refused:
        bootstrap.check_python(version)
    assert words in str(refused.value) and one_sentence(str(refused.value))


def test_the_sentence_names_a_python_that_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "better_python", lambda: "python3.12")
    with pytest.raises(SetupError, match=r"`python3\.12 -m carelab …` works here"):
        bootstrap.check_python((3, 9, 1))


@pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")
def test_only_a_python_that_answers_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyenv, for one, has names on the path behind which there is nothing."""
    for name, answer in {"python3.13": 127, "python3.12": 0, "python3.11": 0}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {answer}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bootstrap.better_python() == "python3.12"
    (tmp_path / "python3.12").unlink()
    (tmp_path / "python3.11").unlink()
    assert bootstrap.better_python() == ""


def test_a_fresh_environment_is_used_as_it_is(at: Path) -> None:
    venv = fake_venv(at)
    assert bootstrap.environment_for(["lab"]) == venv.python


def test_inside_the_environment_nothing_is_started_again(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(fake_venv(at).folder))
    assert bootstrap.environment_for(["lab"]) is None


@pytest.mark.parametrize("change", ["lock", "project", "stamp", "damaged stamp", "moved", "python", "python gone"])
def test_a_stale_environment_is_noticed(change: str, at: Path) -> None:
    venv = fake_venv(at)
    assert venv.is_fresh(developer=False)
    if change == "lock":
        (at / "requirements.lock").write_text("other==1\n")
    elif change == "project":
        (at / "pyproject.toml").write_text("[project]\n")
    elif change == "stamp":
        venv.stamp.unlink()
    elif change == "damaged stamp":
        venv.stamp.write_text('{"root": ')
    elif change == "moved":
        venv.stamp.write_text(venv.stamp.read_text().replace("clone", "elsewhere"))
    elif change == "python":
        (venv.folder / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\nversion = 3.13.1\n")
    else:
        venv.python.unlink()
    assert not venv.is_fresh(developer=False)


def test_developers_commands_want_more_than_a_learner_has(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(bootstrap, "set_up", lambda venv, developer: asked.append(developer))
    venv = fake_venv(at)
    assert bootstrap.environment_for(["test", "--only", "lint"]) == venv.python
    assert asked == [True]
    monkeypatch.delenv("CARELAB_SET_UP")
    bootstrap.environment_for(["check", "1"])
    assert asked == [True], "what a learner needs was there"


def test_set_up_never_goes_round_in_circles(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARELAB_SET_UP", "1")
    with pytest.raises(SetupError, match="delete the folder"):
        bootstrap.environment_for(["lab"])


def test_the_switch_and_a_ready_environment_need_no_venv(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "here_is_ready", lambda: True)
    assert bootstrap.environment_for(["lab"]) is None
    monkeypatch.setattr(bootstrap, "here_is_ready", lambda: False)
    monkeypatch.setenv("CARELAB_NO_VENV", "1")
    assert bootstrap.environment_for(["lab"]) is None
    assert not (at / ".venv").exists()


def test_this_environment_is_ready_and_one_of_another_version_is_not(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", clone)
    assert bootstrap.here_is_ready()
    lock = clone / "requirements.lock"
    lock.write_text(re.sub(r"(?m)^nbgrader==\S+", "nbgrader==0.0.1", lock.read_text(encoding="utf-8")))
    assert not bootstrap.here_is_ready()


def test_a_missing_lock_is_a_sentence(at: Path) -> None:
    (at / "requirements.lock").unlink()
    with pytest.raises(SetupError, match=r"requirements\.lock is missing"):
        bootstrap.environment_for(["lab"])


def test_a_folder_that_cannot_be_written_is_a_sentence(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)  # root may write anywhere, so that the folder's mode proves nothing
    with pytest.raises(SetupError) as refused:
        bootstrap.environment_for(["lab"])
    assert "cannot be written to (Permission denied)" in str(refused.value) and one_sentence(str(refused.value))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write to a read-only folder")
def test_a_read_only_clone_ends_with_one_line(clone: Path) -> None:
    clone.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-S", "-m", "carelab", "lab"], cwd=clone, capture_output=True, text=True, timeout=60
        )
    finally:
        clone.chmod(0o755)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "cannot be written to" in done.stderr


def test_a_full_disk_is_said_before_anything_is_downloaded(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "NEEDED_BYTES", 10**18)
    with pytest.raises(SetupError, match="GB free and the set-up needs"):
        bootstrap.environment_for(["lab"])
    assert not (at / ".venv").exists()


def test_a_python_without_venv_is_a_sentence(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name))
    with pytest.raises(SetupError, match=r"the package python3\.\d+-venv") as refused:
        bootstrap.environment_for(["lab"])
    assert one_sentence(str(refused.value))


PIP_SAYS = {
    "NewConnectionError('… Temporary failure in name resolution')\nERROR: No matching distribution": "network",
    "ERROR: No matching distribution found for alembic==1.20.1": "does not have all of them",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.": "not the one the lock file names",
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device": "disk is full",
    "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: 'x'": "cannot be written",
    "ERROR: Something unheard of.": "could not install the packages (Something unheard of)",
    "": "it gave no reason",
}


@pytest.mark.parametrize("said", PIP_SAYS)
def test_what_pip_says_becomes_one_sentence(said: str) -> None:
    sentence = bootstrap.explain_pip(said, Path(".venv/setup.log"))
    assert PIP_SAYS[said] in sentence and ".venv/setup.log" in sentence and one_sentence(sentence)


def test_a_failure_leaves_no_stamp_and_the_next_start_goes_on(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second pip fails: the environment must not look finished, nor be thrown away."""
    venv = fake_venv(at, stamped=False)
    runs: list[str] = []

    def pip(_: Venv, __: list[str], what: str, *___: object) -> None:
        runs.append(what)
        if len(runs) == 2:
            raise SetupError("the packages could not be downloaded.")

    monkeypatch.setattr(bootstrap, "_pip", pip)
    monkeypatch.setattr(Venv, "can_be_kept", lambda self: True)
    monkeypatch.setattr(bootstrap, "_make_venv", lambda _: pytest.fail("it was thrown away"))
    with pytest.raises(SetupError):
        bootstrap.environment_for(["lab"])
    assert not venv.stamp.exists() and venv.python.exists()
    assert bootstrap.environment_for(["lab"]) == venv.python
    assert venv.is_fresh(developer=False)
    assert runs == ["packages", "the course itself"] * 2


def test_a_package_that_pip_was_busy_with_is_installed_again(at: Path) -> None:
    venv = fake_venv(at)
    whole, half = (venv.folder / "lib" / "python3.12" / "site-packages" / f"{n}.dist-info" for n in ("a-1", "b-1"))
    if os.name == "nt":
        whole, half = (venv.folder / "Lib" / "site-packages" / path.name for path in (whole, half))
    for folder in (whole, half):
        folder.mkdir(parents=True)
        (folder / "METADATA").touch()
    (whole / "INSTALLER").touch()
    venv.forget_unfinished()
    assert venv.installed() == [whole]


def test_pip_is_asked_for_hashes_and_for_nothing_it_cannot_check(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_venv(at, stamped=False)
    asked: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "_pip", lambda _, arguments, *__: asked.append(arguments))
    monkeypatch.setattr(Venv, "can_be_kept", lambda self: True)
    bootstrap.environment_for(["lab"])
    packages, course = asked
    assert packages == ["--require-hashes", "-r", str(at / "requirements.lock")]
    assert course == ["--no-deps", "--no-build-isolation", "-e", str(at)]


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_pip_is_followed_recorded_and_kept_from_the_persons_own_settings(
    at: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    venv = fake_venv(at)
    venv.python.write_text('#!/bin/sh\necho "Collecting a"\necho "target=$PIP_TARGET"\nexit ${FAIL:-0}\n')
    venv.python.chmod(0o755)
    monkeypatch.setenv("PIP_TARGET", "somewhere/else")
    log = venv.folder / "setup.log"
    bootstrap._pip(venv, ["a"], "packages", log, 1)
    assert log.read_text() == "Collecting a\ntarget=\n"
    monkeypatch.setenv("FAIL", "1")
    with pytest.raises(SetupError, match="could not install"):
        bootstrap._pip(venv, ["a"], "packages", log, 1)
    assert capsys.readouterr().out == "", "progress belongs on stderr"


def test_progress_counts_what_pip_tells(at: Path, capsys: pytest.CaptureFixture[str]) -> None:
    venv = fake_venv(at)
    progress = bootstrap.Progress("packages", 3, venv)
    progress.hear("Collecting a==1\n")
    progress.hear("  Downloading a-1.whl\n")
    progress.hear("Requirement already satisfied: b==1\n")
    progress.show(now=True)
    progress.hear("Installing collected packages: a, b\n")
    progress.show(now=True)
    lines = capsys.readouterr().err.splitlines()
    assert "downloading packages: 2 of 3" in lines[0]
    assert "installing packages: 0 of 2" in lines[1]


def test_two_set_ups_of_one_folder_wait_for_each_other(at: Path) -> None:
    with bootstrap._alone(), (at / ".cache" / "setup.lock").open("a+") as second:
        assert not bootstrap._try_lock(second)
    with (at / ".cache" / "setup.lock").open("a+") as third:
        assert bootstrap._try_lock(third)
