"""Hints in order: ask once for a nudge, again for the next."""

import difflib
import json
from collections import Counter
from functools import cache

from carelab.paths import RELEASE

_asked: Counter[str] = Counter()


@cache
def all_hints() -> dict[str, list[str]]:
    """Hints by exercise, from the files that ship beside the learners' notebooks."""
    hints: dict[str, list[str]] = {}
    for path in sorted(RELEASE.glob("week_*/hints.json")):
        hints |= json.loads(path.read_text(encoding="utf-8"))
    return hints


def hint(exercise: str = "") -> None:
    """Print the next hint for `exercise`, for example `hint("w01-call-threshold")`; the last one stays.

    A name that does not exist is answered with the nearest ones, and no name with all of them: a learner who asks for
    help should not meet a traceback.
    """
    hints = all_hints()
    name = str(exercise).strip()
    if name not in hints:
        near = difflib.get_close_matches(name, hints, n=3, cutoff=0.6) or list(hints)
        print(f'There is no exercise "{name}". Its name stands under its heading.' if name else "Ask with a name.")
        print("For example: " + ", ".join(f'hint("{other}")' for other in near))
        return
    known = hints[name]
    number = min(_asked[name], len(known) - 1)
    _asked[name] += 1
    print(f"Hint {number + 1} of {len(known)}: {known[number]}")
    if number + 1 == len(known):
        print("That was the last hint.")
