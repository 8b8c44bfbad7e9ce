"""Hints in order: ask once for a nudge, again for the next."""

import difflib
import json
import sys
from collections import Counter
from functools import cache
from typing import Any

from carelab.paths import RELEASE, TASKS

NO_COURSE = (
    "The course's own copy of this notebook cannot be read: get the course again. Your notebooks stay as they are."
)
_asked: Counter[str] = Counter()


@cache
def all_tasks() -> dict[str, dict[str, Any]]:
    """Tasks by name in the order of weeks, each with its `week` folder, from the files that ship beside the notebooks.

    A file that cannot be read counts as one without tasks: a learner who asks for help should not meet a traceback.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(RELEASE.glob(f"week_*/{TASKS}")):
        try:
            tasks = json.loads(path.read_text(encoding="utf-8"))
            found |= {name: {**task, "week": path.parent.name} for name, task in tasks.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            continue
    return found


def this_cell() -> str:
    """The exercise in whose cell (or in whose check's cell) this runs, as the notebook tells its kernel; empty elsewhere."""
    try:
        metadata = sys.modules["IPython"].get_ipython().get_parent()["metadata"]
        return str(metadata["cellId"]).removesuffix("-check")
    except (KeyError, TypeError, AttributeError, LookupError):  # plain Python, another notebook program, a thread
        return ""


def find(exercise: object, call: str) -> str:
    """The name of the exercise that is meant; empty when there is none, after saying which there are.

    Without a name it is the exercise of the cell this runs in. `call` is what the learner called, for the examples.
    """
    tasks = all_tasks()
    asked = exercise.strip() if isinstance(exercise, str) else ""
    name = asked.removesuffix("-check") or this_cell()
    if name in tasks:
        return name
    if not tasks:
        print(NO_COURSE)
        return ""
    near = (difflib.get_close_matches(asked, tasks, n=3, cutoff=0.6) if asked else []) or list(tasks)
    print(f'There is no exercise "{asked}". Its name stands under its heading.' if asked else "Ask with a name.")
    for other in near:
        print(f'{call}("{other}")  {tasks[other].get("title", "")}'.rstrip())
    return ""


def hint(exercise: str = "") -> None:
    """Print the next hint for `exercise`, for example `hint("w01-call-threshold")`; the last one stays.

    In the cell of an exercise the name can be left out. A name that does not exist is answered with the nearest ones, and
    no name with all of them: a learner who asks for help should not meet a traceback.
    """
    name = find(exercise, "hint")
    if not name:
        return
    known = all_tasks()[name].get("hints")
    if not known or not isinstance(known, list):
        print("There is no hint for this one.")
        return
    number = min(_asked[name], len(known) - 1)
    _asked[name] += 1
    print(f"Hint {number + 1} of {len(known)}: {known[number]}")
    if number + 1 == len(known):
        print("That was the last hint.")
