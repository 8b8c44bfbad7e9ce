"""pyproject.toml, the lock files and environment.yml ask for the same things."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from carelab import bootstrap, paths


def read(name: str) -> str:
    return (paths.ROOT / name).read_text(encoding="utf-8")


PYPROJECT, COURSE, DEVELOPER, CONDA = map(read, ("pyproject.toml", *bootstrap.LOCKS.values(), "environment.yml"))


def entries(lock: str) -> dict[str, str]:
    """Each package's whole entry, its hashes included."""
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", lock)
    return {canonicalize_name(block.split("==")[0]): block.strip() for block in blocks if block.strip()}


def lock_problems(lock: str) -> list[str]:
    """What keeps a lock from being one: two versions, no exact one, no hash, an address."""
    names = re.findall(r"(?m)^(\S+?)==", lock)
    found = [f"{name} has more than one version" for name in sorted(set(names)) if names.count(name) > 1]
    for name, entry in entries(lock).items():
        if not re.match(r"[A-Za-z0-9._-]+==\d\S*( ;[^\n\\]+)? \\\n", entry):
            found.append(f"{name} has no exact version")
        if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry):
            found.append(f"{name} has no hash")
        if re.search(r"[a-z]+://| @ |^-e|--index", entry, re.MULTILINE):
            found.append(f"{name} names an address")
    return found


def bound_problems(pyproject: str, lock: str, groups: bool) -> list[str]:
    """Which dependency of the project the lock lacks or has at a version out of bounds."""
    table = tomllib.loads(pyproject)
    wanted = table["project"]["dependencies"] + (table["dependency-groups"]["dev"] if groups else [])
    locked = {canonicalize_name(name): version for name, version in re.findall(r"(?m)^(\S+?)==(\S+)", lock)}
    found = []
    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name))
        if version is None:
            found.append(f"{requirement.name} is not locked")
        elif not requirement.specifier.contains(version):
            found.append(f"{requirement.name} {version} is out of bounds")
    return found


def superset_problems(course: str, developer: str) -> list[str]:
    """Where an author's environment is not the learner's with some packages on top.

    A package that learners need on some systems only may be needed everywhere by one of those on top.
    """

    def bare(lock: str) -> dict[str, str]:
        return {name: re.sub(r" ;[^\n\\]+", " ", entry) for name, entry in entries(lock).items()}

    theirs = bare(developer)
    return [f"{name} differs" for name, entry in bare(course).items() if theirs.get(name) != entry]


def conda_problems(conda: str, pyproject: str) -> list[str]:
    """Where environment.yml does not lead to the lock, or names a Python that the project refuses."""
    dependencies = yaml.safe_load(conda)["dependencies"]
    found = []
    python = [item.split("=")[1] for item in dependencies if isinstance(item, str) and item.startswith("python=")]
    allowed = SpecifierSet(tomllib.loads(pyproject)["project"]["requires-python"])
    if len(python) != 1 or not allowed.contains(f"{python[0]}.99"):
        found.append(f"Python {python} is not within {allowed}")
    pip = [item["pip"] for item in dependencies if isinstance(item, dict)]
    if pip != [[f"-r {bootstrap.LOCKS['course']}"]]:
        found.append(f"pip installs {pip}, not the lock file and nothing else")
    if "pip" not in dependencies:
        found.append("pip itself is missing")
    return found


def test_the_locks_are_exact_hashed_and_without_addresses() -> None:
    assert lock_problems(COURSE) == [] == lock_problems(DEVELOPER)
    assert len(entries(COURSE)) == len(bootstrap.locked_versions(paths.ROOT / bootstrap.LOCKS["course"])) > 100


def test_the_locks_hold_what_the_project_asks_for() -> None:
    assert bound_problems(PYPROJECT, COURSE, groups=False) == []
    assert bound_problems(PYPROJECT, DEVELOPER, groups=True) == []


def test_authors_have_exactly_the_learners_packages_and_some_on_top() -> None:
    assert superset_problems(COURSE, DEVELOPER) == []
    assert {"ruff", "mypy", "playwright"} <= entries(DEVELOPER).keys() - entries(COURSE).keys()


def test_conda_and_binder_install_from_the_same_lock() -> None:
    assert conda_problems(CONDA, PYPROJECT) == []
    script = read("postBuild")
    assert "pip install --no-deps --no-build-isolation -e ." in script, "the lock cannot name the course itself"
    assert script.startswith("#!/bin/bash\n") and "set -euo pipefail" in script


def test_what_builds_the_course_itself_is_locked() -> None:
    needs = [Requirement(text) for text in tomllib.loads(PYPROJECT)["build-system"]["requires"]]
    locked = bootstrap.locked_versions(paths.ROOT / bootstrap.LOCKS["course"])
    assert all(need.specifier.contains(locked[need.name]) for need in needs), "no build isolation, so it must be there"


PANDAS = re.search(r"(?m)^pandas==\S+ \\\n(    --hash=\S+( \\)?\n)+", COURSE)
assert PANDAS is not None
MUST_FAIL: dict[str, Callable[[], list[str]]] = {
    "a version that is no version": lambda: lock_problems(COURSE.replace("pandas==", "pandas>=")),
    "two versions for two Pythons": lambda: lock_problems(COURSE + PANDAS[0]),
    "an entry without hash": lambda: lock_problems(COURSE.replace(PANDAS[0], PANDAS[0].split("\n")[0] + "\n")),
    "a package from an address": lambda: lock_problems(COURSE + "odd @ https://example.org/odd.whl\n"),
    "an index in the lock": lambda: lock_problems("--index-url https://example.org/\n" + COURSE),
    "a dependency that is not locked": lambda: bound_problems(PYPROJECT, COURSE.replace(PANDAS[0], ""), groups=False),
    "a version out of bounds": lambda: bound_problems(
        PYPROJECT.replace('"pandas>=2.3,<3"', '"pandas>=3"'), COURSE, groups=False
    ),
    "an author's tool that is not locked": lambda: bound_problems(PYPROJECT, COURSE, groups=True),
    "another hash for authors": lambda: superset_problems(COURSE.replace("sha256:8", "sha256:9"), DEVELOPER),
    "a package that authors lack": lambda: superset_problems(COURSE, DEVELOPER.replace(PANDAS[0], "")),
    "a Python out of bounds": lambda: conda_problems(CONDA.replace("python=3.12", "python=3.10"), PYPROJECT),
    "packages past the lock": lambda: conda_problems(CONDA + "      - numpy\n", PYPROJECT),
    "no pip": lambda: conda_problems(CONDA.replace("  - pip\n", ""), PYPROJECT),
}


@pytest.mark.parametrize("case", MUST_FAIL)
def test_the_checks_can_fail(case: str) -> None:
    assert MUST_FAIL[case]() != []
