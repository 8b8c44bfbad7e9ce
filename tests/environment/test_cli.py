"""The command: what its errors look like, and what its help promises."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from carelab import cli, paths
from carelab.errors import UserError


def run(*args: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(args))
    return int(ended.value.code or 0)


def group_with(failure: Exception) -> object:
    """A group with one command, `break`, that fails."""

    class Group:
        @staticmethod
        def register(app: typer.Typer) -> None:
            @app.command("break")
            def fail() -> None:
                raise failure

    return Group


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    groups = {"carelab.cli.environment": group_with(request.param)}
    monkeypatch.setattr(cli, "GROUPS", ("environment",))
    monkeypatch.setattr(cli, "import_module", groups.__getitem__)


@pytest.mark.parametrize("failing", [UserError("Do this instead.")], indirect=True)
def test_a_user_error_is_one_sentence_and_exit_code_2(failing: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("break") == 2
    assert capsys.readouterr().err == "carelab: Do this instead.\n"


@pytest.mark.parametrize("failing", [ZeroDivisionError("division by zero")], indirect=True)
def test_a_defect_is_one_sentence_and_exit_code_1(failing: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("break") == 1
    error = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in error and "--debug" in error and "Traceback" not in error


@pytest.mark.parametrize("failing", [ZeroDivisionError()], indirect=True)
@pytest.mark.parametrize("args", [("--debug", "break"), ("break", "--debug")])
def test_debug_shows_where(failing: None, args: tuple[str, ...]) -> None:
    with pytest.raises(ZeroDivisionError):
        cli.main(list(args))


def test_a_command_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("labb") == 2
    assert "labb" in capsys.readouterr().err


def test_an_unknown_part_of_the_tests_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("test", "--only", "everything") == 2
    assert "the parts are lint, build, data, pytest, notebooks" in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    for name in ("lab", "test", "doctor", "data", "lock", "clean", "check", "build", "sync"):
        assert re.search(rf"(?m)^  {name}\b", shown), name


def test_help_imports_nothing_heavy() -> None:
    """What makes help quick is what it does not import."""
    code = "import sys; sys.argv = ['carelab', '--help']\nfrom carelab.cli import main\n"
    code += "try: main()\nfinally: print('LOADED', *sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=paths.ROOT)
    loaded = set(done.stdout.split("LOADED", 1)[1].split())
    assert "typer" in loaded
    assert not loaded & {"pandas", "numpy", "nbformat", "nbgrader", "jupyterlab", "sklearn", "duckdb", "matplotlib"}


def test_the_makefile_and_the_readme_name_commands_that_exist() -> None:
    known = {info.name or info.callback.__name__ for info in cli.build_app().registered_commands if info.callback}
    known |= {str(group.name) for group in cli.build_app().registered_groups}
    for name in ("Makefile", "README.md", "ARCHITECTURE.md"):
        text = (paths.ROOT / name).read_text(encoding="utf-8")
        used = set(re.findall(r"(?:\$\(PYTHON\)|\bpython3?|\bpy -3\.\d+) -m carelab ([a-z]+)", text))
        assert used and used <= known, f"{name} names {used - known}"


def test_each_make_target_is_one_line_of_the_command() -> None:
    text = (paths.ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = dict(re.findall(r"(?m)^([a-z]+):.*\n((?:\t.*\n?)+)", text))
    assert recipes.keys() >= {"lab", "test", "doctor", "build", "data", "lint", "lock", "clean"}
    for name, recipe in recipes.items():
        if name != "help":
            assert re.fullmatch(r"\t@\$\(PYTHON\) -m carelab [a-z -]+\n", recipe), name


def test_the_readme_links_to_files_that_exist() -> None:
    for name in ("README.md", "ARCHITECTURE.md", "LICENSE-CONTENT.md"):
        text = (paths.ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (paths.ROOT / target).exists(), f"{name} links to {target}"


def test_clean_removes_caches_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        ".ruff_cache/x",
        "src/a/__pycache__/x.pyc",
        "my_course/__pycache__/x",
        "my_course/lesson.ipynb",
        "src/a.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    assert run("clean") == 0
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"my_course/__pycache__/x", "my_course/lesson.ipynb", "src/a.py"}
