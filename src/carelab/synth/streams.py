"""Named random streams: every variable draws from its own generator.

One generator for everything would make each new draw shift all later ones, and adjacent integer seeds give similar
streams. A hash of seed, name and panel does neither, whatever the order or the number of workers.
"""

import hashlib

import numpy as np


def stream(seed: int, name: str, panel: int | str = "") -> np.random.Generator:
    """Generator for one variable (`name`) of one panel; equal arguments give equal draws on every machine."""
    digest = hashlib.sha256(f"{seed}/{name}/{panel}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))
