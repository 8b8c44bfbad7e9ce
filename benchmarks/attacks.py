"""The attack corpus on plain nbgrader and on our grader, side by side: `python benchmarks/attacks.py [NAME ...]`.

Each attack is graded by `nbgrader autograde`, together with an honest student who comes after it, in a jail of its own
that is thrown away. It takes half an hour for all. nbgrader's configuration is its own but for the limit of 8 s for a cell.
Our side counts points and what is told; tests/attacks/test_ours.py looks at the rest.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from attacks import stock, tiny  # noqa: E402
from attacks.corpus import ATTACKS, submit  # noqa: E402
from attacks.ways import Ours  # noqa: E402


def main(names: list[str]) -> None:
    chosen = [attack for attack in ATTACKS if not names or attack.name in names]
    table = Table(
        "attack", "aim", "listed", "nbgrader: points", "raised", "leaked", "harmed", "notes", "ours: points", "leaked"
    )
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder, Ours() as ours:
        base = Path(folder, "base")
        stock.prepare(base, "c.Execute.timeout = 8\n")
        for attack in chosen:
            site = Path(folder, attack.name)
            outcome = stock.run({"mallory": attack}, base, site)["mallory"]
            mine = Path(folder, f"ours-{attack.name}", tiny.WEEK)
            mine.parent.mkdir()
            submit(attack, base / "course" / "release" / tiny.WEEK, mine)
            results = ours.grade(mine).values()
            earned = sum(result.earned for result in results)
            told = any(word in repr(results) for word in ("LEAK[", tiny.SECRET, tiny.CANARY))
            counts.update({"raised": outcome.raised, "leaked": outcome.leaked, "harmed": outcome.harmed})
            counts["worked"] += outcome.worked
            counts["ours"] += bool(earned or told)
            score = "none" if outcome.score is None else f"{outcome.score:g}"
            marks = ["yes" if one else "" for one in (attack.listed, outcome.raised, outcome.leaked, outcome.harmed)]
            row = [
                attack.name,
                attack.aim,
                marks[0],
                score,
                *marks[1:],
                "; ".join(outcome.notes),
                f"{earned:g}",
                "yes" * told,
            ]
            table.add_row(*row)
            print(" | ".join(row), flush=True)
    Console(width=200).print(table)
    print(
        f"stock: {counts['raised']} raised a score, {counts['leaked']} leaked, {counts['harmed']} reached out or harmed, "
        f"of {len(chosen)} ({counts['worked']} did any of it); ours: {counts['ours']}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
