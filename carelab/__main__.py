"""`python -m carelab …` from the root of a fresh clone, with nothing installed.

This folder has no `__init__.py`, and must not get one. Without it, Python treats the folder as a portion of a
namespace package, and the import system prefers a regular package anywhere on the path over a namespace portion.
So the same command means two things: before set-up Python finds this file, which makes the environment and starts
again inside it; inside the environment it finds the real package in `src/carelab`, and this file is never read.
(`tests/environment/test_shim.py` proves both.)

Written so that any Python 3 can read it: an old one has to get a sentence, not a syntax error.
"""

import os
import sys

if __name__ == "__main__":
    if sys.version_info < (3, 7):  # noqa: UP036  bootstrap.py itself needs 3.7 to be read
        sys.exit("carelab: this course needs Python 3.11.5 or newer, this is %d.%d.%d." % sys.version_info[:3])  # noqa: UP031
    import importlib.util

    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    # Loaded by its path: the name `carelab.bootstrap` would mean a file in this very folder.
    spec = importlib.util.spec_from_file_location("bootstrap", os.path.join(root, "src", "carelab", "bootstrap.py"))
    bootstrap = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bootstrap)
    bootstrap.main()
