"""`python -m carelab` means the shim before set-up and the real package afterwards."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from carelab import paths

SHIM = paths.ROOT / "carelab"
BOOTSTRAP = paths.ROOT / "src" / "carelab" / "bootstrap.py"


def test_the_shim_folder_is_a_namespace_portion() -> None:
    assert {path.name for path in SHIM.iterdir()} - {"__pycache__"} == {"__main__.py"}


def run(code: str, folder: Path, *options: str) -> str:
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


WHERE = "import carelab; print(carelab.__file__)"


def test_the_regular_package_wins_although_the_shim_comes_first_on_the_path() -> None:
    """The folder a `-c` program is started in stands first on sys.path, as with `-m`."""
    assert Path(run(WHERE, paths.ROOT)) == paths.ROOT / "src" / "carelab" / "__init__.py"


def test_without_the_regular_package_the_shim_answers(clone: Path) -> None:
    """-S leaves out site-packages, as on a machine where nothing is installed."""
    assert run(WHERE, clone, "-S") == "None"
    assert str(clone / "carelab") in run("import carelab; print(list(carelab.__path__))", clone, "-S")


def test_an_init_file_in_the_shim_would_hide_the_package(clone: Path) -> None:
    """Why the folder must not get one: then the shim, first on the path, would be the package."""
    (clone / "carelab" / "__init__.py").touch()
    assert Path(run(WHERE, clone)) == clone / "carelab" / "__init__.py"


def test_help_on_a_fresh_clone_downloads_nothing(clone: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CARELAB", "PYTHONPATH"))}
    command = [sys.executable, "-S", "-m", "carelab", "--help"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=60, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "python -m carelab lab" in done.stdout
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize(("path", "oldest"), [(SHIM / "__main__.py", (3, 4)), (BOOTSTRAP, (3, 7))])
def test_an_old_python_can_parse_what_it_has_to_read(path: Path, oldest: tuple[int, int]) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=oldest)


def test_the_parse_check_can_fail() -> None:
    with pytest.raises(SyntaxError):
        ast.parse("match x:\n    case 1: pass\n", feature_version=(3, 7))


def test_bootstrap_imports_nothing_but_the_standard_library() -> None:
    tree = ast.parse(BOOTSTRAP.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    outside = {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}
    assert outside == {"carelab.cli"}, "and that only in the function that runs behind it"
