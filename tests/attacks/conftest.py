"""Tests and benchmarks share the modules of this folder as the package `attacks`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
