"""Would another seed keep the tolerances? `python benchmarks/seeds.py [seed ...]`: area x figure x seeds.

Builds the released size from each seed into a temporary folder, measures it, and marks what leaves its band. A band that
other seeds leave is too narrow for grading on hidden seeds. With `--traps`, the traps' two figures as well.
"""

import argparse
import os
import tempfile
from pathlib import Path

from carelab.synth.building import Measured, measure_world
from carelab.synth.config import load_world


def measured(seed: int, workers: int) -> Measured:
    """Figures of the world of one seed."""
    world = load_world().model_copy(update={"seed": seed})
    with tempfile.TemporaryDirectory() as folder:
        return measure_world(Path(folder), world, workers)


def main() -> None:
    """Print the table, and how many figures each seed has outside."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("seeds", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--traps", action="store_true")
    asked = parser.parse_args()
    seeds = [load_world().seed, *asked.seeds]
    worlds = [measured(seed, asked.workers) for seed in seeds]
    print(f"{'area':15}{'figure':28}{'band':>20}" + "".join(f"{seed:>12}" for seed in seeds))
    for row in zip(*(world.results for world in worlds), strict=True):
        band = f"{row[0].lower:g} to {row[0].upper:g}"
        cells = "".join(f"{f'{r.achieved:g}' + ('' if r.within else ' !'):>12}" for r in row)
        print(f"{row[0].area:15}{row[0].name:28}{band:>20}{cells}")
    outside = [sum(not r.within for r in world.results) for world in worlds]
    print(f"{'outside its band (!)':63}" + "".join(f"{n:>12}" for n in outside))
    if asked.traps:
        print(f"\n{'area':15}{'trap':28}{'':>20}" + "".join(f"{seed:>12}" for seed in seeds))
        for entries in zip(*(world.traps for world in worlds), strict=True):
            for role in ("naive", "reference"):
                cells = "".join(f"{entry['figures'][entry[role]]:>12g}" for entry in entries)
                print(f"{entries[0]['area']:15}{entries[0]['id']:28}{role:>20}{cells}")


if __name__ == "__main__":
    main()
