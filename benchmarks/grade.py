"""Grading beside stock nbgrader: `python benchmarks/grade.py speed|growth|batch|fuzz [--folder DIR]`.

speed: the same 50 honest submissions of week 1, by stock `nbgrader autograde` and by `carelab grade` with 1 and 2 workers.
growth: `carelab grade` with 2 workers on 50 to 500 of them.
batch: 200 submissions, 40 of them hostile (tests/attacks). The run is killed five times at random and taken up again; its
gradebook is compared with an undisturbed run's, and the honest scores with stock's (`--stock COURSE` takes the honest
submissions and the scores of a course folder that stock has graded already, which takes half an hour).
fuzz: 1,000 broken submissions (tests/grading/fuzz.py) of a tiny course, all in one run.
Learners hand in what they were given: exercises, project and the lesson, which has nothing to grade and which stock runs, too.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from cohort import WEEK, honest
from rich.console import Console
from rich.table import Table

from carelab.paths import COURSE, RELEASE, ROOT, SOLUTIONS

HONEST, HOSTILE, KILLS = 160, 40, 5
CONSOLE = Console(width=140)
STOCK = """c = get_config()
c.CourseDirectory.course_id = "carelab"
c.CourseDirectory.source_directory = "../solutions"
c.CourseDirectory.release_directory = "../weeks_01-12"
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("Write your answer here, then delete this line.")'}
c.ClearSolutions.text_stub = "*Write your answer here.*"
"""
SCORES = """select s.student_id, n.name, b.name, g.auto_score, g.needs_manual_grade from grade g
    join submitted_notebook sn on g.notebook_id = sn.id join submitted_assignment s on sn.assignment_id = s.id
    join notebook n on sn.notebook_id = n.id join base_cell b on g.cell_id = b.id"""
Scores = dict[tuple[str, str, str], tuple[float | None, bool]]


def course(root: Path, stock: bool = False) -> Path:
    """An empty course folder for week 1 below `root`, with our configuration or nbgrader's own defaults."""
    made = root / "course"
    (made / "submitted").mkdir(parents=True)
    shutil.copytree(SOLUTIONS / WEEK, root / "solutions" / WEEK)
    shutil.copytree(RELEASE / WEEK, root / "weeks_01-12" / WEEK)
    if stock:
        (made / "nbgrader_config.py").write_text(STOCK, encoding="utf-8")
        nbgrader(made, "generate_assignment", WEEK, "--force")
    else:
        shutil.copy(COURSE / "nbgrader_config.py", made)
    return made


def hand_in(made: Path, numbers: Iterable[int]) -> None:
    for number in numbers:
        honest(made / "submitted", number)


def hand_in_hostile(made: Path) -> None:
    """Forty attacks, one a submission, among them those that stock nbgrader does not survive."""
    sys.path.insert(0, str(ROOT / "tests"))
    from attacks.corpus import ATTACKS, submit

    released = made.parent / "released"  # without the lesson: some attacks change a check of each notebook
    shutil.copytree(RELEASE / WEEK, released, ignore=shutil.ignore_patterns("lesson.ipynb"))
    for number, attack in enumerate(random.Random(5).sample(ATTACKS, HOSTILE)):
        folder = made / "submitted" / f"hostile-{number:02d}"
        folder.mkdir()
        submit(attack, released, folder / WEEK)


def nbgrader(made: Path, *arguments: str) -> float:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    started = time.monotonic()
    done = subprocess.run(["nbgrader", *arguments], cwd=made, env=os.environ | {"PATH": path}, capture_output=True)
    if done.returncode:
        CONSOLE.print(f"[yellow]nbgrader {arguments[0]} ended with {done.returncode}[/]")
    return time.monotonic() - started


def command(made: Path, workers: int) -> list[str]:
    return [sys.executable, "-m", "carelab", "grade", "1", "--course", str(made), "--workers", str(workers)]


def ours(made: Path, workers: int) -> float:
    started = time.monotonic()
    done = subprocess.run(command(made, workers), cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)
    return time.monotonic() - started


def scores(book: Path) -> Scores:
    with sqlite3.connect(book) as db:
        return {(who, stem, name): (score, bool(manual)) for who, stem, name, score, manual in db.execute(SCORES)}


def differences(one: Scores, other: Scores, whose: str) -> int:
    found = [key for key in {*one, *other} if key[0].startswith(whose) and one.get(key) != other.get(key)]
    for key in sorted(found)[:10]:
        CONSOLE.print(key, one.get(key), other.get(key))
    return len(found)


def speed(root: Path, count: int = 50) -> None:
    table = Table("grader", "seconds", "seconds a submission", "times as fast")
    plain = course(root / "stock", stock=True)
    hand_in(plain, range(count))
    slow = nbgrader(plain, "autograde", WEEK)
    table.add_row("nbgrader autograde", f"{slow:.0f}", f"{slow / count:.2f}", "1")
    for workers in (1, 2):
        made = course(root / f"ours-{workers}")
        hand_in(made, range(count))
        took = ours(made, workers)
        wrong = differences(scores(plain / "gradebook.db"), scores(made / "gradebook.db"), "learner")
        table.add_row(f"carelab grade, {workers}", f"{took:.0f}", f"{took / count:.2f}", f"{slow / took:.1f}")
        CONSOLE.print(f"{workers} workers: {wrong} scores differ from stock's")
    CONSOLE.print(table)


def growth(root: Path) -> None:
    table = Table("submissions", "seconds", "seconds a submission", "largest memory of the command, MB")
    for count in (50, 150, 500):
        made = course(root / f"growth-{count}")
        hand_in(made, range(count))
        took = ours(made, 2)
        table.add_row(str(count), f"{took:.0f}", f"{took / count:.2f}", f"{_children_mb():.0f}")
    CONSOLE.print(table)


def _children_mb() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def batch(root: Path, stock: Path | None) -> None:
    chance = random.Random(11)
    whole, broken = course(root / "whole"), course(root / "broken")
    if stock is None:
        stock = course(root / "stock", stock=True)
        hand_in(stock, range(HONEST))
        nbgrader(stock, "autograde", WEEK)
    for made in (whole, broken):
        shutil.copytree(stock / "submitted", made / "submitted", dirs_exist_ok=True)
        hand_in_hostile(made)
    took = ours(whole, 2)
    CONSOLE.print(f"{HONEST + HOSTILE} submissions in {took:.0f} s, {took / (HONEST + HOSTILE):.2f} s each")
    for _ in range(KILLS):
        process = subprocess.Popen(command(broken, 2), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(8, 8 + took / KILLS))
        process.send_signal(signal.SIGKILL)
        process.wait()
        CONSOLE.print(f"killed with {len(list(broken.glob('.carelab/grades/*/*.json')))} of 200 saved")
    ours(broken, 2)
    one, other = scores(whole / "gradebook.db"), scores(broken / "gradebook.db")
    CONSOLE.print(f"after {KILLS} kills: {differences(one, other, '')} of {len(one)} entries of the gradebook differ")
    hostile = {key: score for key, (score, _) in one.items() if key[0].startswith("hostile")}
    raised = sum(bool(score) for score in hostile.values())
    CONSOLE.print(
        f"hostile: {len({k[0] for k in hostile})} of {HOSTILE} in the gradebook, {raised} checks earned points"
    )
    missing = sum(score is None and not manual for score, manual in one.values())
    CONSOLE.print(f"entries that are neither a score nor for a person: {missing}")
    CONSOLE.print(
        f"honest: {differences(scores(stock / 'gradebook.db'), one, 'learner')} scores differ from stock nbgrader's"
    )


def fuzz(root: Path, count: int = 1000) -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    from grading import fuzz as broken
    from grading import tiny

    made = tiny.make(root / "fuzz")
    tiny.hand_in(made, "honest", tiny.RIGHT)
    solved = made / "submitted" / "honest" / WEEK / "exercises.ipynb"
    for seed in range(count):
        folder = tiny.hand_in(made, f"fuzz-{seed:04d}", {})
        shutil.rmtree(folder)
        folder.mkdir()
        shutil.copy(solved.with_name("project.ipynb"), folder)
        broken.fuzz(seed, solved, folder / "exercises.ipynb")
    started = time.monotonic()
    done = subprocess.run(command(made, 2), cwd=ROOT, capture_output=True, text=True)
    took = time.monotonic() - started
    CONSOLE.print(f"exit code {done.returncode}, {took:.0f} s, {took / count:.2f} s each; {done.stderr[-500:]}")
    found = scores(made / "gradebook.db")
    graded = {who for who, _, _ in found}
    CONSOLE.print(
        f"{len(graded)} of {count + 1} in the gradebook; points of one who gave honest answers among them: "
        f"{sum(score or 0 for (who, _, _), (score, _) in found.items() if who == 'honest'):g} of 8"
    )
    open_ones = [key for key, (score, manual) in found.items() if score is None and not manual]
    silent = [
        path.parent.parent.name
        for path in made.glob(f"autograded/fuzz-*/{WEEK}/exercises.ipynb")
        if any(
            cell["metadata"].get("nbgrader", {}).get("grade")
            and not found[path.parent.parent.name, "exercises", cell["metadata"]["nbgrader"]["grade_id"]][0]
            and not "".join(output.get("evalue", "") for output in cell["outputs"])
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "code"
        )
    ]
    CONSOLE.print(f"neither a score nor for a person: {len(open_ones)}; 0 points without a sentence: {len(silent)}")
    CONSOLE.print([line for line in done.stdout.splitlines() if "submissions," in line])


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("part", choices=("speed", "growth", "batch", "fuzz"))
    options.add_argument("--folder", type=Path, help="where the course folders are made; a temporary one without it")
    options.add_argument("--stock", type=Path, help="a course folder whose honest submissions stock has graded")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = chosen.folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        if chosen.part == "batch":
            batch(place, chosen.stock)
        else:
            {"speed": speed, "growth": growth, "fuzz": fuzz}[chosen.part](place)
