"""nbgrader's own commands with kernels in the sandbox: attacks may spoil their own notebook's checks, and nothing else.

A kernel runs answers and checks together, so attacks for points are no matter of the sandbox.
"""

from __future__ import annotations

import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from attacks import tiny
from attacks.attack import filled
from attacks.corpus import ATTACKS, Attack
from carelab.grading.sandbox.isolation import available

pytestmark = pytest.mark.skipif(available() is not None, reason=str(available()))

MANAGER = "carelab.grading.sandbox.provisioner.SandboxManager"
STUB = "def answer(x):"
# The rest of them is about checks, replies and notebooks, or only ends its own process.
HARMING = (
    "kill-grader",
    "kill-everybody",
    "stop-grader",
    "memory-flood",
    "fork-bomb",
    "fill-disk",
    "busy",
    "never-quits",
)


def run(*attacks: Attack, place, folder: Path, manager: str = MANAGER) -> str:
    """Run each attack's code in a cell, and call what it defined; everything that was put out."""
    cells = [
        nbformat.v4.new_code_cell(filled(one.answer, STUB, place) + "\n\nglobals().get('answer', len)('x')")
        for one in attacks
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(
        notebook,
        timeout=20,
        kernel_name="python3",
        kernel_manager_class=manager,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except (DeadKernelError, CellTimeoutError) as error:
        return type(error).__name__
    return "".join(str(cell.outputs) for cell in notebook.cells)


def test_what_wants_to_know_or_to_reach_gets_nothing(place, ears, tree, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("SECRET_TOKEN", tiny.CANARY)
    # What its own check calls it with, and says, a kernel cannot keep from an answer.
    chosen = [one for one in ATTACKS if one.aim in ("leak", "reach") and one.name not in ("inputs", "memory")]
    assert len(chosen) > 20
    before = tree()
    put_out = run(*chosen, place=place, folder=tmp_path)
    assert put_out not in ("DeadKernelError", "CellTimeoutError")
    for word in ("LEAK[", tiny.CANARY, tiny.SECRET):
        assert word not in put_out, put_out[max(0, put_out.find(word) - 200) :][:600]
    time.sleep(1)
    assert ears.heard == [] and tree() == before


@pytest.mark.parametrize("name", HARMING)
def test_what_wants_to_harm_harms_itself(name, place, ears, tree, tmp_path) -> None:
    (attack,) = (one for one in ATTACKS if one.name == name)
    before = tree()
    run(attack, place=place, folder=tmp_path)
    assert ears.heard == [] and tree() == before


def test_in_an_ordinary_kernel_they_do(place, ears, tmp_path) -> None:
    """The control, with two that do no harm."""
    chosen = [one for one in ATTACKS if one.name in ("home", "other-submission")]
    put_out = run(*chosen, place=place, folder=tmp_path, manager="jupyter_client.manager.AsyncKernelManager")
    assert "LEAK[home]" in put_out and "LEAK[other-submission]" in put_out
    time.sleep(1)
    assert b"LEAK[home]" in b"".join(ears.heard)
