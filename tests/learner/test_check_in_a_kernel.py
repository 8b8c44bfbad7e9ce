"""`check` and `hint` where learners call them: in a kernel, from a cell that JupyterLab names. And nbgrader's Validate beside them."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator

import pytest
from jupyter_client.manager import start_new_kernel
from nbgrader.validator import Validator

from carelab.build.execute import kernel_environment
from carelab.grading.rebuild import answers, graded, read_notebook, rebuild
from carelab.learner import instant
from carelab.paths import RELEASE, SOLUTIONS

WEEK = "week_01_ml_fundamentals"
NAME = "w01-best-calls"
RIGHT = answers(read_notebook(SOLUTIONS / WEEK / "exercises.ipynb"))[NAME]
START = "import pandas as pd\nfrom carelab import check, hint"

Run = Callable[..., list[dict]]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Runs a cell and returns what it showed: messages of the kernel, in their order."""
    with kernel_environment():
        manager, client = start_new_kernel(extra_arguments=["--log-level=ERROR"])

    def one(source: str, cell: str = "", interrupt: bool = False) -> list[dict]:
        message = client.session.msg(
            "execute_request",
            {"code": source, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False},
            metadata={"cellId": cell} if cell else {},
        )
        client.shell_channel.send(message)
        shown: list[dict] = []
        while True:
            said = client.get_iopub_msg(timeout=30)
            if said["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if interrupt and said["msg_type"] == "execute_input":
                time.sleep(1)
                manager.interrupt_kernel()
            if said["msg_type"] == "status" and said["content"]["execution_state"] == "idle":
                return shown
            if said["msg_type"] in ("stream", "error", "display_data", "execute_result"):
                shown.append({"type": said["msg_type"], **said["content"]})

    try:
        one(START)
        yield one
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def text(shown: list[dict]) -> str:
    assert {message["type"] for message in shown} <= {"stream"}, shown
    return "".join(message["text"] for message in shown)


def test_in_its_own_cell_an_exercise_needs_no_name(run):
    assert text(run(f"{RIGHT}\ncheck()", NAME)).startswith("Passed. At these prices")
    assert text(run("check()", f"{NAME}-check")).startswith("Passed.")
    assert text(run("hint()", NAME)).startswith("Hint 1 of 3")
    assert text(run("check()", "6f1c")).startswith("Ask with a name.")
    assert text(run("check()")).startswith("Ask with a name.")


def test_nothing_of_the_check_stays(run):
    run(RIGHT)
    names = "print(sorted(name for name in dir() if not name.startswith('_')))"
    before = text(run(names))
    assert text(run(f"check('{NAME}')")).startswith("Passed.")
    assert text(run(names)) == before and "plan" not in before


@pytest.mark.parametrize("ending", ["exit()", "quit()", "import sys; sys.exit(1)", "raise SystemExit"])
def test_an_answer_that_ends_python_ends_nothing(run, ending):
    run(f"def best_number_of_calls(plan, value, cost, kept):\n    {ending}")
    assert text(run(f"check('{NAME}')")).startswith("Not yet: Your code calls exit()")
    time.sleep(0.3)  # a kernel told to stop does so a moment later
    assert text(run("print('alive')")) == "alive\n"


def test_where_a_cell_stopped_is_named(run):
    run(instant.released(NAME).stub)
    assert text(run(f"check('{NAME}')")).startswith("Not attempted yet: replace the line")
    run("def best_number_of_calls(plan, value, cost, kept):\n    return plan['call']")
    shown = text(run(f"check('{NAME}')"))
    assert shown == "Not yet: Your code stopped with KeyError: 'call'. It happened in the line `return plan['call']`.\n"


def test_a_loop_can_be_interrupted(run):
    run("def best_number_of_calls(plan, value, cost, kept):\n    while True: pass")
    run(f"import carelab.learner.instant as i; i.SLOW_SECONDS = 0.3; check('{NAME}')", interrupt=True)
    shown = text(run(f"check('{NAME}')", interrupt=True))
    assert shown.startswith("Still running. The black square") and "Stopped. If it would" in shown
    run("i.SLOW_SECONDS = 5.0")


def test_a_figure_of_the_answer_is_not_shown(run):
    run("%matplotlib inline\nimport matplotlib.pyplot as plt")
    run(RIGHT.replace("    net =", "    plt.plot([1, 2])\n    net ="))
    assert text(run(f"check('{NAME}')")).startswith("Passed.")
    shown = run(RIGHT.replace("def best", "plt.plot([1, 2])\ndef best") + f"\ncheck('{NAME}')")
    assert [message["type"] for message in shown].count("display_data") == 1  # the learner's own


def test_a_stub_without_a_function_is_not_attempted_once_it_was_run(run):
    run("seen = train = validation = new_model = roc_auc_score = 1")
    assert text(run("check('w01-j11-features')")).startswith("Run this exercise's cell first")
    assert run(instant.released("w01-j11-features").stub)[-1]["ename"] == "NotImplementedError"
    assert text(run("check('w01-j11-features')")).startswith("Not attempted yet")
    run("features = [1, 2")
    assert text(run("check('w01-j11-features')")).startswith("Not yet: the cell with your answer stopped")
    run("features = 3")
    assert (
        text(run("check('w01-j11-features')"))
        == "Not yet: `features` is a int; write a list, names in square brackets.\n"
    )


# ---------------------------------------------------------------- nbgrader's Validate


def test_validate_fails_a_fresh_copy_and_passes_right_answers(tmp_path):
    def validated(notebook) -> str:
        path = tmp_path / "exercises.ipynb"
        path.write_text(json.dumps(notebook), encoding="utf-8")
        validator = Validator()
        validator.stream = io.StringIO()
        with kernel_environment():
            validator.validate_and_print(str(path))
        return validator.stream.getvalue()

    fresh = read_notebook(RELEASE / WEEK / "exercises.ipynb")
    checks = [cell for cell in fresh.cells if (entry := graded(cell)) and entry["grade"]]
    assert f"VALIDATION FAILED ON {len(checks)} CELL(S)" in validated(fresh)
    solved = rebuild(fresh, answers(read_notebook(SOLUTIONS / WEEK / "exercises.ipynb")))
    assert "Success! Your notebook passes all the tests." in validated(solved)
