"""The simplest handler: provided cells as plain Python; the class `Runner` that one of them defines answers requests."""

import sys
import types
from typing import Any


def prepared(sources: list[str]) -> Any:
    """Run the cells in a fresh `__main__`, and make a `Runner` of its namespace."""
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    for number, source in enumerate(sources):
        exec(compile(source, f"<provided cell {number + 1}>", "exec"), main.__dict__)
    return main.__dict__["Runner"](main.__dict__)
