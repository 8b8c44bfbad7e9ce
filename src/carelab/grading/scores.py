"""How well a week's checks tell right from wrong: its catalogue of answers, and mutants of its reference solutions.

`tests/answers/WEEK/survivors.toml` names the mutants that may pass, with a reason that an author has written:

    [[survivors]]
    exercise = "w01-label"
    mutants = ["line 2: a.astype(int) becomes a"]
    reason = "True and False count as 1 and 0."
"""

import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from carelab.errors import UserError
from carelab.grading.answers import Answer, disagreement, read_catalogue, try_answers, try_mutants
from carelab.grading.rebuild import read_notebook
from carelab.grading.trials import Outcome
from carelab.paths import ROOT, SOLUTIONS

CATALOGUES = ROOT / "tests" / "answers"


@dataclass(frozen=True)
class Row:
    """One exercise. Mutants were judged by an assert, crashed, were stopped by the clock, may pass (excused), or survived."""

    exercise: str
    right: int
    right_kept: int
    wrong: int
    wrong_caught: int
    judged: int
    crashed: int
    stopped: int
    excused: int
    survived: tuple[str, ...]
    seconds: float
    """Of one answer, on average."""

    @property
    def mutants(self) -> int:
        """How many were tried."""
        return self.judged + self.crashed + self.stopped + self.excused + len(self.survived)

    @property
    def score(self) -> float:
        """Share of mutants that an assert caught. Those that stop by themselves prove nothing and are left out."""
        counted = self.judged + len(self.survived)
        return self.judged / counted if counted else 1.0


def report(week: str, tell: Callable[[Outcome], object] = lambda _: None) -> list[Row]:
    """Rows for the exercises of `week` (its folder's name), in their order; `tell` hears of each mutant.

    Raises UserError when the week has no catalogue of answers, or one of its files cannot be read.
    """
    catalogues = [
        (path, CATALOGUES / week / f"{path.stem}.py")
        for path in sorted((SOLUTIONS / week).glob("*.ipynb"))
        if (CATALOGUES / week / f"{path.stem}.py").is_file()
    ]
    if not catalogues:
        raise UserError(f"There is no catalogue of answers in {CATALOGUES / week}; write one, or name another week.")
    excused = read_survivors(CATALOGUES / week / "survivors.toml")
    found = []
    for built, catalogue in catalogues:
        notebook, answers = read_notebook(built), read_catalogue(catalogue)
        found += rows(answers, try_answers(notebook, answers), try_mutants(notebook, tell=tell), excused)
    return found


def rows(
    answers: list[Answer], outcomes: list[Outcome], mutants: list[Outcome], excused: dict[tuple[str, str], str]
) -> list[Row]:
    """A row for each exercise, from what its answers and its mutants met."""
    met = {(one.exercise, one.name): one for one in outcomes if one.variant == 0}
    found = []
    for exercise in dict.fromkeys(one.exercise for one in [*outcomes, *mutants]):
        own = [one for one in answers if one.exercise == exercise]
        right = [one for one in own if one.right]
        fine = Counter(one.right for one in own if not disagreement(one, met[exercise, one.name]))
        tried = [one for one in mutants if one.exercise == exercise]
        ended = Counter(one.ended for one in tried)
        survived = [one.name for one in tried if one.passed]
        unexcused = tuple(name for name in survived if (exercise, name) not in excused)
        seconds = [met[exercise, one.name].seconds for one in own]
        found.append(
            Row(
                exercise,
                right=len(right),
                right_kept=fine[True],
                wrong=len(own) - len(right),
                wrong_caught=fine[False],
                judged=ended["judged"],
                crashed=ended["crashed"],
                stopped=ended["stopped"],
                excused=len(survived) - len(unexcused),
                survived=unexcused,
                seconds=sum(seconds) / max(1, len(seconds)),
            )
        )
    return found


def read_survivors(path: Path) -> dict[tuple[str, str], str]:
    """The reason for each (exercise, mutant) that may pass; none when there is no such file.

    Raises UserError for an entry that lacks something.
    """
    if not path.is_file():
        return {}
    found: dict[tuple[str, str], str] = {}
    try:
        for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("survivors", []):
            if not entry["reason"].strip():
                raise ValueError("an empty reason")
            found |= {(entry["exercise"], name): entry["reason"] for name in entry["mutants"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: each entry needs exercise, mutants (a list) and reason ({error}).") from error
    return found


def show(rows: list[Row], console: Console) -> None:
    """Print the rows as a table, and under it the mutants that nobody has excused.

    Columns: right answers that keep their points, wrong ones that meet their message, mutants by what became of them, the
    share that a check caught of those that did not stop by themselves, and seconds for one answer.
    """
    table = Table("exercise")
    for heading in [
        "right",
        "wrong",
        "mutants",
        "judged",
        "crashed",
        "stopped",
        "excused",
        "survived",
        "score",
        "seconds",
    ]:
        table.add_column(heading, justify="right")
    for row in rows:
        counts = row.mutants, row.judged, row.crashed, row.stopped, row.excused, len(row.survived)
        table.add_row(
            row.exercise,
            f"{row.right_kept} of {row.right}",
            f"{row.wrong_caught} of {row.wrong}",
            *map(str, counts),
            f"{row.score:.0%}",
            f"{row.seconds:.2f}",
        )
    console.print(table)
    for row in rows:
        for name in row.survived:
            console.print(f"{row.exercise}: no check sees “{name}”", markup=False, highlight=False, soft_wrap=True)
