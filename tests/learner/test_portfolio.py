"""The portfolio: what projects keep, what is shown of it, and that nothing live or foreign gets onto a page for others."""

from __future__ import annotations

import ctypes
import dataclasses
import io
import itertools
import json
import re
import struct
import zlib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Chart
from PIL import Image
from typer.testing import CliRunner

from carelab import cli, curriculum
from carelab.doctor import find_chromium
from carelab.errors import UserError
from carelab.learner import progress as learning
from carelab.learner.artefacts import keep, plain
from carelab.learner.portfolio import content, facts, html, make, pdf, writing
from carelab.learner.progress import Progress, SkillProgress, Task, Verified, WeekProgress

pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed (requirements-dev.lock)")

COURSE = curriculum.load()
CHECKED = "2026-11-20T18:12:03+00:00"
POLICY = (
    "**From 1 July the nurse line calls fifteen patients.** Nobody loses a visit.\n\n- a person decides\n- it is logged"
)
WORDS = "Two bars: the rule reaches 31 of 100, anybody 19."
WEEK_1 = COURSE.week(1).folder


# ---------------------------------------------------------------- a small learner


def task(name: str, kind: str, title: str, points: float = 0, week: int = 1, notebook: str = "project") -> Task:
    return Task(name, week, notebook, title, "", kind, points, ("P2",), ())  # type: ignore[arg-type]


def verified(status: str = "passed", earned: float = 0, current: bool = True) -> Verified:
    return Verified(status, earned, "", CHECKED, current)  # type: ignore[arg-type]


TASKS: list[tuple[Task, Verified | None]] = [
    (task("w01-first", "exercise", "Exercise 1: first", 12, notebook="exercises"), verified(earned=12)),
    (task("w01-second", "exercise", "Exercise 2: second", 8, notebook="exercises"), verified("failed")),
    (task("w01-j11-bands", "gate", "Step 2: three bands"), verified()),
    (task("w01-j11-gain", "gate", "Step 4: is the model needed?"), verified()),
    (task("w01-j11-texting", "written", "Written answer 1: the board member (3 points)", 3), verified("for a person")),
    (task("w01-j11-policy", "written", "Written answer 2: the policy (7 points)", 7), verified("for a person")),
]


def learner(tasks: list[tuple[Task, Verified | None]] = TASKS, track: str = "cto") -> Progress:
    """Progress with these tasks in week 1 and nothing in the other weeks."""
    chosen = next(one for one in COURSE.tracks if one.id == track)
    weeks = tuple(
        WeekProgress(COURSE.week(step.week), tuple(tasks) if step.week == 1 else (), {}) for step in chosen.path
    )
    skills = tuple(SkillProgress(skill, 3 * (skill.id == "P2"), 4 * (skill.id == "P2")) for skill in COURSE.skills)
    return Progress(chosen, weeks, skills, None)


def chart() -> Chart:
    figure = Chart(figsize=(4, 2))
    figure.add_subplot().barh(["rule", "anybody"], [31, 19])
    figure.axes[0].set_title("Calls worth making, of 100")
    return figure


def notebook(folder: Path, **answers: str) -> None:
    cells = [
        nbformat.v4.new_markdown_cell(
            text, metadata={"nbgrader": {"grade_id": name, "solution": True, "grade": True, "schema_version": 3}}
        )
        for name, text in answers.items()
    ]
    (folder / "project.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's folder with week 1's project done."""
    folder = tmp_path / "mine" / WEEK_1
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    kept = {"gain_over_best_simple_rule": 1.5, "worth_calling_per_100": {"rule": 31.3, "anybody": 18.5}}
    keep("J11", "A no-show policy in three bands", kept, chart(), WORDS)
    notebook(folder, **{"w01-j11-texting": "We text those we worry about.", "w01-j11-policy": POLICY})
    return tmp_path / "mine"


def rewrite(workspace: Path, **change: object) -> None:
    """Change the kept JSON by hand, as anybody can."""
    path = workspace / WEEK_1 / "portfolio" / "J11.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}), encoding="utf-8")


def page_of(workspace: Path, progress: Progress | None = None, name: str = "") -> str:
    return html.render(content.collect(workspace, progress or learner(), name))


def text_of(document: bytes) -> str:
    """All text of a PDF without spaces and line ends, which depend on where a line breaks."""
    with pdfium.PdfDocument(document) as opened:
        return squeezed("".join(page.get_textpage().get_text_range() for page in opened))


def squeezed(text: str) -> str:
    return re.sub(r"[\s\ufffe]+", "", text)


class Words(HTMLParser):
    """The visible text of a page, and every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside not in ("style", "title"):
            self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


# ---------------------------------------------------------------- keeping


def test_what_is_kept_is_plain_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"auc": [0.71, np.nan], "n": [3, 4]}, index=pd.Index(["Harbour", "Northgate"], name="site"))
    given = {
        "count": np.int64(3),
        "sure": np.bool_(True),
        "day": pd.Timestamp("2026-08-03"),
        "by_site": frame,
        "series": pd.Series({"a": 1.5}),
        "array": np.array([1, 2]),
        "scalar": np.array(4.0),
        7: "a number for a key",
    }
    kept = json.loads(keep("J3", "A card", given).read_text(encoding="utf-8"))
    assert kept["facts"] == {
        "count": 3,
        "sure": True,
        "day": "2026-08-03",
        "by_site": [{"site": "Harbour", "auc": 0.71, "n": 3}, {"site": "Northgate", "auc": None, "n": 4}],
        "series": {"a": 1.5},
        "array": [1, 2],
        "scalar": 4.0,
        "7": "a number for a key",
    }
    assert "figures" not in kept


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (float("nan"), "is nan"),
        (np.float64("inf"), "is inf"),
        (pd.NaT, "NaT"),
        ({1, 2}, "is a set"),
        (object(), "is a object"),
        ({(1, 2): 3}, "becomes a label"),
        (list(range(2000)), "at most 1000"),
        (pd.DataFrame({"a": range(2000)}), "2000 rows"),
        ([[[[[[[[1]]]]]]]], "levels deep"),
    ],
)
def test_facts_that_no_page_can_show_are_refused(value: object, sentence: str) -> None:
    with pytest.raises(UserError, match=re.escape(sentence)):
        plain({"wrong": value})


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: keep("J99", "t", {}), 'no project "J99"'),
        (lambda: keep("J11", " ", {}), "Give the result a title"),
        (lambda: keep("J11", "t", []), "has to be a dict"),  # type: ignore[arg-type]
        (lambda: keep("J11", "t", {}, chart()), "Say what the figure shows"),
        (lambda: keep("J11", "t", {}, chart(), "  "), "Say what the figure shows"),
        (lambda: keep("J11", "t", {}, in_words="a bar"), "there is none"),
        (lambda: keep("J11", "t", {}, figures={"Drift": chart()}), "figures has to be"),  # type: ignore[dict-item]
        (lambda: keep("J11", "t", {}, "no chart", "a bar"), "not a matplotlib figure"),  # type: ignore[arg-type]
        (lambda: keep("J11", "t", {"a": "x" * 2_000_000}), "larger than 1 MB"),
    ],
)
def test_keeping_says_what_is_missing(
    call: Callable[[], Path], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=re.escape(sentence)):
        call()
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_a_project_is_kept_where_the_curriculum_cannot_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the grader's sandbox, which hides the course's own folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(curriculum, "CURRICULUM", tmp_path / "hidden" / "curriculum.toml")
    assert keep("J11", "t", {"a": 1}).is_file()


def test_keeping_twice_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    seen = []
    for _ in range(2):
        keep("J4", "A dashboard", {"a": 1}, chart(), "Two bars.", figures={"Drift": (chart(), "Two bars again.")})
        seen.append({path.name: path.read_bytes() for path in (tmp_path / "portfolio").iterdir()})
    assert seen[0] == seen[1]
    assert sorted(seen[0]) == ["J4-2.png", "J4.json", "J4.png"]
    assert b"tEXt" not in seen[0]["J4.png"] and b"tIME" not in seen[0]["J4.png"]


# ---------------------------------------------------------------- what is shown


def test_the_decision_comes_first_and_what_was_verified_last(workspace: Path) -> None:
    shown = content.collect(workspace, learner(), "Dana Whitfield")
    (entry,) = shown.entries
    assert entry.decision == content.Answer("The policy", POLICY)
    assert entry.key_line == "From 1 July the nurse line calls fifteen patients."
    assert [answer.heading for answer in entry.further] == ["The board member"]
    assert entry.in_short == "2 of 2 gates passed"
    rows = dict(entry.verified)
    assert rows["Gates of this project"] == "2 of 2 passed"
    assert rows["Exercises of week 1"] == "12 of 20 points, 1 of 2 exercises passed"
    assert "20 November 2026" in rows["How"]
    assert rows["Changed since then"].startswith("Nothing")
    assert "“The policy” (7 points)" in rows["For a person to judge"]
    course = curriculum.load()
    ready = {week.number for week in course.weeks if week.ready}
    others = {one.title for one in course.projects if ready.issuperset(one.weeks)} - {entry.project.title}
    assert all(title in shown.not_done for title in others) and entry.project.title not in shown.not_done
    assert entry.warning == ""
    page = page_of(workspace, name="Dana Whitfield")
    order = [
        "In one minute",
        "How to read this",
        "words: The policy",
        "Figure 2.",
        "words: The board",
        "How this was ver",
    ]
    places = [page.index(words) for words in order]
    assert places == sorted(places)


def test_an_answer_that_changed_does_not_count(workspace: Path) -> None:
    changed = [(one, dataclasses.replace(v, current=one.name != "w01-j11-gain")) for one, v in TASKS if v]
    (entry,) = content.collect(workspace, learner(changed)).entries
    assert entry.in_short == "1 of 2 gates passed"
    assert "“Is the model needed?”" in dict(entry.verified)["Changed since then"]


def test_figures_behind_answers_that_are_not_accepted_carry_a_warning(workspace: Path) -> None:
    failed = [(one, dataclasses.replace(v, status="failed", current=False)) for one, v in TASKS if v]
    (entry,) = content.collect(workspace, learner(failed)).entries
    assert (
        entry.warning
        == "2 checks of this project are not passed, or not run on these answers: what follows may be wrong."
    )
    assert dict(entry.verified)["Changed since then"].startswith("Nothing"), "what never passed is not what changed"
    shown = content.collect(workspace, learner(failed))
    assert entry.warning in html.render(shown) and squeezed("what follows may be wrong") in text_of(pdf.render(shown))


@pytest.mark.parametrize(
    "lead_in",
    [
        "**Who gets what.** ",
        "# The policy\n\n",
        "| band | who |\n|---|---|\n| high and risky patients | are called first |\n\n",
    ],
)
def test_the_point_is_a_sentence_that_says_something(lead_in: str) -> None:
    text = lead_in + "The nurse line calls fifteen patients. They are the first of the list."
    assert writing.key_line(writing.tidy(text)) == "The nurse line calls fifteen patients."
    assert writing.key_line(writing.tidy("**Who gets what.** Soon.")) == ""


def test_what_was_never_checked_says_so(workspace: Path) -> None:
    shown = content.collect(workspace, learner([(one, None) for one, _ in TASKS]))
    assert dict(shown.entries[0].verified)["Not verified"]
    assert shown.entries[0].in_short == "not checked"
    assert "has not happened yet" in shown.statement


def test_an_empty_answer_is_not_shown(workspace: Path) -> None:
    notebook(workspace / WEEK_1, **{"w01-j11-texting": content.NOT_WRITTEN, "w01-j11-policy": "<!-- later -->"})
    (entry,) = content.collect(workspace, learner()).entries
    assert entry.decision is None and entry.further == ()
    assert entry.key_line == "A no-show policy in three bands"


def test_a_project_that_could_be_done_is_named() -> None:
    ready = tuple(dataclasses.replace(week, status="ready") for week in COURSE.weeks if week.number <= 10)
    course = dataclasses.replace(COURSE, weeks=(*ready, *COURSE.weeks[10:]))
    missing = [COURSE.project(name) for name in ("J5", "J1")]
    assert content._not_done(course, missing) == "Not done yet: Clinical policy assistant."
    assert content._not_done(course, []) == ""


def test_nothing_done_is_a_kind_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing to show yet: finish a week's project"):
        make(tmp_path, learner())
    assert not list(tmp_path.iterdir())


def test_projects_follow_the_track(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for week, project in ((5, "J5"), (8, "J8"), (6, "J2")):
        (workspace / COURSE.week(week).folder).mkdir()
        monkeypatch.chdir(workspace / COURSE.week(week).folder)
        keep(project, f"Kept by {project}", {"a": 1})
    shown = content.collect(workspace, learner(track="llm"))
    assert [entry.project.id for entry in shown.entries] == ["J5", "J8", "J2"]
    assert [entry.project.id for entry in content.collect(workspace, learner()).entries] == ["J11", "J5", "J2", "J8"]


def test_facts_of_every_shape_are_laid_out() -> None:
    blocks = facts.lay_out(
        {
            "model": "rule",
            "auc": 0.7134,
            "visits": 12873,
            "year": 2026,
            "approved": True,
            "words": "x" * 200,
            "features": ["age", "distance"],
            "steps": ["set the flag that sends everybody to the rule", "say so"],
            "by_site": [{"site": "Harbour", "n": 4120}, {"site": "Northgate", "auc": 0.7, "n": 12}],
            "by_payer": {"plan_a": {"n": 1}, "plan_b": {"n": 2}},
            "data": {"training": {"rows": 5, "parts": [1, 2]}, "note": "kept"},
            "nothing": [],
            "nest": [[1, 2], {"a": 1}],
        }
    )
    assert blocks[0] == facts.Table(
        "Key figures",
        (),
        (("Model", "rule"), ("AUC", "0.713"), ("Visits", "12,873"), ("Year", "2,026"), ("Approved", "yes")),
        (False, False),
    )
    assert facts.Text("Features", "age, distance") in blocks
    assert facts.Entries("Steps", ("set the flag that sends everybody to the rule", "say so")) in blocks
    site = next(block for block in blocks if isinstance(block, facts.Table) and block.caption == "By site")
    assert site.header == ("Site", "N", "AUC") and site.rows[0] == ("Harbour", "4120", "–")
    payer = next(block for block in blocks if isinstance(block, facts.Table) and block.caption == "By payer")
    assert payer.rows == (("Plan a", "1"), ("Plan b", "2"))
    assert facts.Group("Data") in blocks and facts.Text("Nothing", "none") in blocks


def test_a_long_table_is_cut_with_a_sentence() -> None:
    (block,) = facts.lay_out({"cases": [{f"c{n}": row for n in range(12)} for row in range(200)]})
    assert isinstance(block, facts.Table)
    assert len(block.rows) == facts.ROWS and len(block.header) == facts.COLUMNS
    assert block.left_out == "185 more rows and 3 more columns are in the project's own file."


# ---------------------------------------------------------------- hostile


HOSTILE = """<script>alert(1)</script>

<img src="https://evil.example/x.png" onerror="alert(1)"> <!-- a remark -->

![a chart](https://evil.example/pixel.png) [click](javascript:alert(1)) [web](https://example.org/a?b=1&c=2) [d](data:text/html,x)

# A heading that would be the page's

<iframe src="https://evil.example"></iframe> {{ 7 * 7 }} {number of pages} &lt;b&gt;
"""


def live(page: str) -> list[str]:
    """Everything on a page that runs, or asks somebody: scripts, handlers, addresses other than our own and a learner's links."""
    found = []
    for tag, attributes in Words(page).tags:
        if tag in ("script", "iframe", "object", "embed", "link", "form", "base"):
            found.append(tag)
        for name, value in attributes.items():
            if name.startswith("on") or name == "style":
                found.append(f"{tag} {name}")
            if name in ("src", "srcset", "data", "action", "poster") and not str(value).startswith(
                "data:image/png;base64,"
            ):
                found.append(f"{tag} {name}={value}")
            if name == "href" and not re.match(r"#|https?://|mailto:", str(value)):
                found.append(f"{tag} {name}={value}")
    return found + re.findall(r"url\(|@import", page)


def test_what_is_live_is_found() -> None:
    assert live('<img src="https://x"><script></script><a href="javascript:x" onclick="y">z</a>') == [
        "img src=https://x", "script", "a href=javascript:x", "a onclick",
    ]  # fmt: skip


def test_nothing_live_comes_from_what_a_learner_wrote(workspace: Path) -> None:
    bad = '"><script>alert(1)</script>'
    notebook(workspace / WEEK_1, **{"w01-j11-texting": bad, "w01-j11-policy": HOSTILE})
    rewrite(
        workspace,
        title=bad,
        facts={bad: bad, "t": [{bad: bad}], "l": [bad * 3], "d": {bad: {bad: [bad]}}},
        figures=[{"file": "J11.png", "title": bad, "in_words": bad}],
    )
    page = page_of(workspace, name=bad)
    assert live(page) == []
    assert "&lt;script&gt;alert(1)" in page and "a remark" not in page
    assert "[picture: a chart]" in page and "pixel.png" not in page
    assert page.count("<h1") == 1 and "{{ 7 * 7 }}" in page
    assert 'href="https://example.org/a?b=1&amp;c=2"' in page
    levels = [int(tag[1]) for tag, _ in Words(page).tags if re.fullmatch(r"h\d", tag)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    text = text_of(pdf.render(content.collect(workspace, learner(), bad)))
    assert squeezed('"><script>alert(1)</script>') in text and "{numberofpages}" not in text


def test_a_text_that_trips_the_parser_is_shown_as_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Trips:
        def parse(self, text: str) -> None:
            raise RecursionError

    usual = writing._parser()
    monkeypatch.setattr(writing, "_parser", lambda: Trips())
    tokens = writing.parse("<b>as typed</b>")
    monkeypatch.setattr(writing, "_parser", lambda: usual)
    assert "&lt;b&gt;as typed" in usual.renderer.render(tokens, usual.options, {})


@pytest.mark.parametrize(
    "text", ["[" * 20_000, "> " * 9_000, "*a_ " * 5_000, "|a" * 9_000 + "\n|-" * 9_000, "`" * 19_999]
)
def test_a_text_made_to_be_slow_is_not(text: str) -> None:
    writing.html(writing.tidy(text))
    writing.key_line(writing.tidy(text))


def bomb() -> bytes:
    """A small PNG that says it is 60,000 pixels square."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is no picture"),
        (b"<svg onload='alert(1)'/>", "is no picture"),
        (b"GIF89a" + b"\0" * 50, "is no picture"),
        (bomb(), "is no picture"),
        (b"\0" * 9_000_000, "is larger than 8 MB"),
    ],
)
def test_a_picture_that_is_none_is_left_out(workspace: Path, data: bytes, sentence: str) -> None:
    (workspace / WEEK_1 / "portfolio" / "J11.png").write_bytes(data)
    shown = content.collect(workspace, learner())
    assert shown.entries[0].figures == ()
    assert sentence in shown.left_out[0] and "J11.png" in shown.left_out[0]


def test_only_the_pixels_of_a_picture_get_out(workspace: Path) -> None:
    path = workspace / WEEK_1 / "portfolio" / "J11.png"
    path.write_bytes(path.read_bytes() + b"<script>hidden</script>")
    (figure,) = content.collect(workspace, learner()).entries[0].figures
    assert b"hidden" not in figure.picture.png
    assert Image.open(io.BytesIO(figure.picture.png)).size == (figure.picture.width, figure.picture.height)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{", '{"facts": []}', '{"facts": {"a": NaN}}', '{"facts": {"a": ' + "9" * 6000 + "}}",
        "[" * 100_000, '{"facts": ' + '{"a":' * 50_000, '{"facts": {}, "x": "' + "y" * 1_100_000 + '"}',
    ],
)  # fmt: skip
def test_a_damaged_artefact_is_left_out(workspace: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / WEEK_1 / "portfolio" / "J11.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"nothing to show yet.*J11\.json is (damaged|larger)"):
        content.collect(workspace, learner())
    folder = workspace / COURSE.week(9).folder
    folder.mkdir()
    monkeypatch.chdir(folder)
    keep("J4", "A dashboard", {"a": 1})
    shown = content.collect(workspace, learner())
    assert [entry.project.id for entry in shown.entries] == ["J4"]
    assert "J11.json" in shown.left_out[0]


@pytest.mark.parametrize(
    "change",
    [
        {"title": 7, "figures": "none"},
        {"title": "", "figures": [7, None, {"file": 3}]},
        {"figures": [{"file": "../../secret.png"}, {"file": "/etc/passwd"}, {"file": "J11.png\0"}, {}]},
        {"facts": {"\ud800": "\ud800\0\x1b[31m", "n": 10**400, "m": -(10**50), "e": 1e-300, "deep": [[[[[[1]]]]]]}},
        {"facts": {"": {}, "  ": [], "a": {"": {"": None}}, "b": [{}], "c": [None, True], "d": [{"": ""}]}},
    ],
)
def test_an_artefact_of_another_shape_does_no_harm(workspace: Path, change: dict[str, object]) -> None:
    rewrite(workspace, **change)
    made = make(workspace, learner())
    assert made.projects == 1
    with pdfium.PdfDocument(made.pdf) as opened:
        assert len(opened) >= 2


@pytest.mark.parametrize("what", ["json", "png", "folder", "week", "notebook"])
def test_no_link_leads_out_of_the_workspace(workspace: Path, tmp_path: Path, what: str) -> None:
    week = workspace / WEEK_1
    linked = {
        "json": week / "portfolio" / "J11.json",
        "png": week / "portfolio" / "J11.png",
        "folder": week / "portfolio",
        "week": week,
        "notebook": week / "project.ipynb",
    }[what]
    notebook(week, **{"w01-j11-policy": "Outside words."})
    rewrite(workspace, title="Outside title")
    linked.rename(tmp_path / "elsewhere")
    linked.symlink_to(tmp_path / "elsewhere")
    if what in ("json", "folder", "week"):
        with pytest.raises(UserError, match="is a link or lies behind one"):
            content.collect(workspace, learner())
        return
    shown = content.collect(workspace, learner())
    assert "link" in " ".join(shown.left_out)
    if what == "png":
        assert shown.entries[0].figures == ()
    else:
        assert "Outside words" not in html.render(shown)


def test_a_link_to_the_workspace_itself_is_followed(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "short").symlink_to(workspace)
    shown = content.collect(tmp_path / "short", learner())
    assert shown.entries[0].figures and shown.entries[0].decision


# ---------------------------------------------------------------- page and document


def test_the_page_needs_nobody(workspace: Path) -> None:
    page = page_of(workspace, name="Dana Whitfield")
    assert live(page) == []
    assert "default-src 'none'" in page
    assert page.startswith("<!DOCTYPE html>") and '<html lang="en">' in page
    assert all(attributes.get("alt") for tag, attributes in Words(page).tags if tag == "img")
    assert WORDS in page and "Figure 2. Calls worth making, of 100. Synthetic data (Lakeshore Health)." in page


def test_the_pdf_says_what_the_page_says(workspace: Path) -> None:
    shown = content.collect(workspace, learner(), "Dana Whitfield")
    text, page = text_of(pdf.render(shown)), html.render(shown)
    spoken = [part.strip() for part in Words(page).text if part.strip()]
    assert len(spoken) > 40
    missing = [part for part in spoken if squeezed(part) not in text]
    # The page's own last line stands on every page of the document, in two parts.
    assert missing == [f"{content.FOOTER}. {shown.heading}, {shown.day}."]
    for words in ("1.5", "31.3", "18.5", "PortfolioofDanaWhitfield", "Page1of", "notanaccreditation"):
        assert words in text


def test_a_difference_between_page_and_pdf_would_be_seen(workspace: Path) -> None:
    shown = content.collect(workspace, learner())
    rewrite(workspace, facts={"gain": 99.25})
    other = html.render(content.collect(workspace, learner()))
    text = text_of(pdf.render(shown))
    missing = [part for part in Words(other).text if squeezed(part) not in text]
    assert "99.25" in missing


def test_the_pdf_is_a_document_others_can_use(workspace: Path) -> None:
    document = pdf.render(content.collect(workspace, learner(), "Dana Whitfield"))
    raw = pdfium.raw
    with pdfium.PdfDocument(document) as opened:
        about = opened.get_metadata_dict()
        assert about["Title"] == "Portfolio of Dana Whitfield: AI decisions in healthcare"
        assert about["Author"] == "Dana Whitfield" and about["CreationDate"].startswith("D:20261120181203")
        outline = [item.get_title() for item in opened.get_toc()]
        assert outline[:3] == ["In one minute", "How to read this", "Skills"]
        assert "J11 No-show workflow" in outline and "How this was verified" in outline
        embedded, described, kinds, untagged = [], [], [], set()
        for page in opened:
            textpage = page.get_textpage()
            for part in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
                embedded.append(raw.FPDFFont_GetIsEmbedded(raw.FPDFTextObj_GetFont(part.raw)))
                if raw.FPDFPageObj_GetMarkedContentID(part.raw) < 0:
                    untagged.add(re.sub(r"\d", "", words_in(raw.FPDFTextObj_GetText, part.raw, textpage.raw)).strip())
            tree = raw.FPDF_StructTree_GetForPage(page.raw)
            whole = raw.FPDF_StructTree_GetChildAtIndex(tree, 0)
            for number in range(raw.FPDF_StructElement_CountChildren(whole)):
                element = raw.FPDF_StructElement_GetChildAtIndex(whole, number)
                if element:  # one of this page
                    described.append(words_in(raw.FPDF_StructElement_GetAltText, element))
                    kinds.append(words_in(raw.FPDF_StructElement_GetType, element))
            raw.FPDF_StructTree_Close(tree)
        assert 2 <= len(opened) <= 4
    assert embedded and set(embedded) == {1}
    # Only what stands on every page is without a tag.
    assert untagged <= {"", "Page  of", content.FOOTER, "Portfolio of Dana Whitfield ·  November"}
    assert kinds.count("H1") == 1 and kinds.count("Figure") == 2 and {"H2", "H3", "H4", "P"} <= set(kinds)
    assert WORDS in described and any(words.startswith("Verified exercises") for words in described)
    assert b"/Lang (en)" in document and b"/FontFile2" in document


def words_in(ask: Callable[..., int], *about: object) -> str:
    """What pdfium says about an element of a document's structure, or a piece of text."""
    buffer = ctypes.create_string_buffer(ask(*about, None, 0) + 2)
    ask(*about, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), len(buffer))
    return buffer.raw.decode("utf-16-le").rstrip("\0")


def test_the_same_work_gives_the_same_bytes(workspace: Path, tmp_path: Path) -> None:
    made = [make(workspace, learner(), "Dana", tmp_path / name) for name in ("one", "two")]
    assert made[0].page.read_bytes() == made[1].page.read_bytes()
    assert made[0].pdf.read_bytes() == made[1].pdf.read_bytes()
    other = make(workspace, learner(), "Eli", tmp_path / "three")
    assert other.pdf.read_bytes() != made[0].pdf.read_bytes()


MANY = """Emoji 🩺🎉, Chinese 预约, Korean 예약, Hebrew שלום עולם, Arabic موعد, combining é, flag 🇨🇭, family 👩‍👩‍👧.

1. one **bold *both* end** `code` ~~gone~~
   - inner [link](https://example.org)
     - deeper
       - deepest

       a second paragraph of it
2. two

> quoted
> > twice

| a | b |
|---|--:|
| **1** | 2 |
| only one |

```
code {nb} **
```

---

"""


def test_no_writing_breaks_a_page(workspace: Path) -> None:
    long = "x" * 3000
    notebook(workspace / WEEK_1, **{"w01-j11-texting": long + " " + "> " * 30 + "deep", "w01-j11-policy": MANY + long})
    wide = [{f"column {n}": f"{long[:200]} {n}" for n in range(12)} for _ in range(200)]
    rewrite(workspace, title=long, facts={long: long, "wide": wide, "list": [long] * 50, "rtl": "שלום", "cjk": "预约"})
    made = make(workspace, learner(), "דנה 预约 🩺")
    page, text = made.page.read_text(encoding="utf-8"), text_of(made.pdf.read_bytes())
    assert "预约" in page and "🩺" in page and "שלום" in page
    assert "预约" not in text and "□□" in text and squeezed(pdf.NOTE) in text
    assert "inner" in text and "deepest" in text and "code{nb}**" in text and "quoted" in text


def test_a_plain_text_needs_no_note(workspace: Path) -> None:
    assert squeezed(pdf.NOTE) not in text_of(pdf.render(content.collect(workspace, learner(), "Zoë Grüber")))


# ---------------------------------------------------------------- in a browser


def violations(page: str, tmp_path: Path) -> list[str]:
    """What axe-core finds on a page in Chromium; fails when the page asks anybody for anything."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium on this machine: install the package chromium")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (requirements-dev.lock)"
    )
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    path = tmp_path / "looked_at.html"
    path.write_text(page, encoding="utf-8")
    asked: list[str] = []
    with playwright.sync_playwright() as driver:
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        browser = driver.chromium.launch(executable_path=chromium, args=arguments)
        opened = browser.new_page(viewport={"width": 900, "height": 900})
        opened.on("request", lambda request: asked.append(request.url) if request.url != path.as_uri() else None)
        opened.goto(path.as_uri())
        found = axe.Axe().run(opened).response["violations"]
        wide = opened.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        browser.close()
    assert [url for url in asked if not url.startswith("data:")] == []
    assert not wide, "the page is wider than its window"
    return [rule["id"] for rule in found]


def test_everybody_can_read_the_page(workspace: Path, tmp_path: Path) -> None:
    notebook(workspace / WEEK_1, **{"w01-j11-policy": MANY, "w01-j11-texting": HOSTILE})
    cases = [{f"c{n}": f"a case with words {n}" for n in range(9)} for _ in range(20)]
    rewrite(
        workspace,
        facts={"by": {"a": {"n": 1}, "b": {"n": 2}}, "one": 1, "cases": cases, "g": {"a": {"b": [1]}, "c": 1}},
    )
    page = page_of(workspace, name="Dana Whitfield")
    assert violations(page, tmp_path) == []


def test_a_page_that_some_cannot_read_is_found(workspace: Path, tmp_path: Path) -> None:
    page = (
        page_of(workspace)
        .replace('lang="en"', "")
        .replace(f'alt="{WORDS}"', "")
        .replace("--soft: #4d5a68", "--soft: #ccc")
    )
    assert {"html-has-lang", "image-alt", "color-contrast"} <= set(violations(page, tmp_path))


# ---------------------------------------------------------------- the command


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    monkeypatch.setattr(learning, "read", lambda workspace: learner())

    def run(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(cli.build_app(), ["portfolio", *map(str, arguments)])
        if isinstance(result.exception, UserError):
            return 2, str(result.exception)
        return result.exit_code, result.output

    return run


def test_the_command_writes_both(workspace: Path, command: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    code, output = command("--workspace", workspace, "--name", "Dana")
    assert code == 0 and "1 project" in output
    assert sorted(path.name for path in (workspace / "portfolio").iterdir()) == ["portfolio.html", "portfolio.pdf"]
    assert command("--workspace", workspace, "--out", tmp_path / "else" / "where")[0] == 0
    assert (tmp_path / "else" / "where" / "portfolio.pdf").read_bytes().startswith(b"%PDF")


def test_the_command_says_what_it_left_out(workspace: Path, command: Callable[..., tuple[int, str]]) -> None:
    (workspace / WEEK_1 / "portfolio" / "J11.png").write_bytes(b"no picture")
    code, output = command("--workspace", workspace)
    assert code == 0 and "J11.png is no picture that can be shown" in output


def test_nothing_done_yet(tmp_path: Path, command: Callable[..., tuple[int, str]]) -> None:
    code, output = command("--workspace", tmp_path)
    assert code == 2 and "finish a week's project notebook" in output


def test_a_folder_that_cannot_be_written_is_a_sentence(
    workspace: Path, command: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    code, output = command("--workspace", workspace, "--out", tmp_path / "file")
    assert code == 2 and "could not be written" in output and "--out" in output
