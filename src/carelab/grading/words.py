"""What a learner reads about a check. Imports next to nothing: the trusted process starts with it."""

import re

CELL_TIMEOUT_SECONDS = 60
# What pandas says when `a > 1 & b == 2` was written for `(a > 1) & (b == 2)`.
_NO_BRACKETS = re.compile(r"unsupported operand type\(s\) for [&|]|Cannot perform '(?:r?and|r?or)_'")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def explain(kind: str, words: str) -> str:
    """An exception as a learner should read it: an assertion's own message, else what went wrong and where to look."""
    words = _COLOUR.sub("", words).strip()
    if kind == "AssertionError":
        return words or "A check failed without a message."
    if kind == "NotImplementedError":
        return "An answer above still holds its placeholder line; write it and delete that line."
    if kind == "NameError":
        return f"{words}. Run your cell first, and keep the names that the exercise asks for."
    if kind == "KeyboardInterrupt":
        return f"The check was stopped after {CELL_TIMEOUT_SECONDS} seconds: look for a loop that never ends."
    if "truth value of a" in words:
        return (
            "Your code asks one yes-or-no question about a whole column. Put each comparison in brackets and join them with "
            "`&` (and) or `|` (or)."
        )
    if _NO_BRACKETS.search(words):
        return (
            "Python joined your conditions before it compared. Put round brackets around each comparison: "
            "`(a > 1) & (b == 2)`."
        )
    return f"Your code stopped with {kind}: {words}"


def printable(text: str) -> str:
    """`text` for a terminal: without the control codes by which a student's message could rewrite what stands there."""
    return "".join(sign for sign in text if sign in "\n\t" or sign.isprintable())
