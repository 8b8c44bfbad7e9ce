"""Run a rebuilt notebook and say of each check what happened."""

import tempfile

from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from carelab.build.execute import QUIET_KERNEL, kernel_environment
from carelab.grading.rebuild import graded
from carelab.grading.results import CheckResult as CheckResult
from carelab.grading.results import Status, asked
from carelab.grading.words import CELL_TIMEOUT_SECONDS
from carelab.grading.words import explain as explain


def run_checks(notebook: NotebookNode, submitted: dict[str, str], stubs: dict[str, str]) -> list[CheckResult]:
    """Run `notebook` and judge its checks; an answer equal to its stub counts as not attempted."""
    death = _run(notebook)
    own = {entry["grade_id"]: cell for cell in notebook.cells if (entry := graded(cell)) and entry["solution"]}
    results = []
    for one in asked(notebook, submitted, stubs):
        if one.settled:
            results.append(CheckResult(one.name, one.settled, one.points, 0.0, one.message))
            continue
        message = _failure(one.cell, death)
        if message and one.name in own:
            message = _error(own[one.name]) or message  # what stopped the learner's own cell comes first
        status: Status = "failed" if message else "passed"
        results.append(CheckResult(one.name, status, one.points, 0.0 if message else one.points, message))
    return results


def _run(notebook: NotebookNode) -> str:
    """Run every cell, whatever fails; returns a sentence when the kernel died, else an empty string."""
    with kernel_environment(), tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT_SECONDS,
            interrupt_on_timeout=True,
            kernel_name="python3",
            allow_errors=True,
            record_timing=False,
            extra_arguments=QUIET_KERNEL,
            shutdown_kernel="immediate",
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute()
        except DeadKernelError:
            return "The kernel died before this check ran: look for a cell that ends Python or needs too much memory."
    return ""


def _failure(cell: NotebookNode, death: str) -> str:
    """Why a check earns nothing, in words; empty when it passed. A check that never ran has not passed."""
    if error := _error(cell):
        return error
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            return f"The check wrote a warning, which nbgrader counts as a failure: {output.text.strip()}"
    if cell.execution_count is None:
        return death or "The check did not run."
    return death


def _error(cell: NotebookNode) -> str:
    """The error that stopped a cell, explained; empty when none did."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    return explain(errors[0].ename, errors[0].evalue) if errors else ""
