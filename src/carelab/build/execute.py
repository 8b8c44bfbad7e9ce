"""Run a notebook top to bottom in a fresh kernel and keep only what is the same on every machine."""

import copy
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from carelab.build.source import NOTEBOOK_METADATA
from carelab.errors import UserError
from carelab.quiet import QUIET_ENVIRONMENT, RECORDED_ONLY

CELL_TIMEOUT_SECONDS = 120
KERNEL_ENVIRONMENT = {**QUIET_ENVIRONMENT, **RECORDED_ONLY, "PYTHONHASHSEED": "0"}

# What stands for a widget in a notebook: a reference, by a random name, to a model in the kernel that showed it.
WIDGET = "application/vnd.jupyter.widget-view+json"

# A kernel on loopback TCP warns about it at every start; the warning would drown ours.
QUIET_KERNEL = ["--log-level=ERROR"]


@contextmanager
def kernel_environment() -> Iterator[None]:
    """Set what every kernel of the course starts with, and put the caller's environment back afterwards."""
    before = {name: os.environ.get(name) for name in KERNEL_ENVIRONMENT}
    os.environ.update(KERNEL_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def execute(notebook: NotebookNode, name: str) -> NotebookNode:
    """Run `notebook` in place, in an empty working folder, and return it with its outputs.

    Raises UserError naming the cell when one fails, takes longer than CELL_TIMEOUT_SECONDS, or kills its kernel.
    """
    with kernel_environment(), tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT_SECONDS,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,  # else the outputs depend on when the kernel happened to flush
            extra_arguments=QUIET_KERNEL,
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute()
        except CellTimeoutError as error:
            raise UserError(f"{name}: a cell ran longer than {CELL_TIMEOUT_SECONDS} s; make it quicker.") from error
        except CellExecutionError as error:
            raise UserError(
                f"{name}: a cell failed with {error.ename}: {error.evalue}\n{_last_cell(notebook)}"
            ) from error
        except DeadKernelError as error:
            raise UserError(f"{name}: the kernel died; look for a cell that needs too much memory.") from error
    # The kernel writes its own Python version here.
    notebook.metadata["language_info"] = dict(NOTEBOOK_METADATA["language_info"])
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
    return notebook


def _last_cell(notebook: NotebookNode) -> str:
    """Source of the cell that ran last, indented: the one that failed."""
    ran = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.get("execution_count")]
    return "    " + ran[-1].source.replace("\n", "\n    ") if ran else ""


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """A copy with outputs and execution counts removed, for comparing what authors wrote."""
    bare = copy.deepcopy(notebook)
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return bare
