"""Hints in order: ask once for a nudge, again for the next."""

import difflib
import json
from collections import Counter
from functools import cache

from carelab.errors import UserError
from carelab.paths import RELEASE

_asked: Counter[str] = Counter()


@cache
def all_hints() -> dict[str, list[str]]:
    """Hints by exercise, from the files that ship beside the learners' notebooks."""
    hints: dict[str, list[str]] = {}
    for path in sorted(RELEASE.glob("week_*/hints.json")):
        hints |= json.loads(path.read_text(encoding="utf-8"))
    return hints


def hint(exercise: str) -> None:
    """Print the next hint for `exercise`, for example `hint("w01-call-threshold")`; the last one stays.

    Raises UserError when there is no such exercise, with the nearest name.
    """
    hints = all_hints()
    if exercise not in hints:
        near = difflib.get_close_matches(exercise, hints, n=1, cutoff=0.3)
        raise UserError(f'There is no exercise "{exercise}".' + (f' Did you mean "{near[0]}"?' if near else ""))
    known = hints[exercise]
    number = min(_asked[exercise], len(known) - 1)
    _asked[exercise] += 1
    print(f"Hint {number + 1} of {len(known)}: {known[number]}")
    if number + 1 == len(known):
        print("That was the last hint.")
