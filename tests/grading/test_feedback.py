"""Feedback pages, made by nbgrader itself: messages and hints, nothing hidden, nothing live."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from jinja2 import Environment
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.server_extensions.formgrader.handlers import template_path

from carelab.build.release import course_config
from carelab.grading import feedback
from carelab.grading.feedback import NOT_SHOWN, Harmless, markdown
from carelab.paths import TASKS

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own

WEEK = "week_00"
HOSTILE = "<img src=x onerror=alert(1)>"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\nno more of it").decode()

VISIBLE = 'assert double(2) == 4, "2 gives 4"'
HIDDEN = 'assert double(17) == 8675309, "Try other numbers than 2."'
COMPLETE = f"{VISIBLE}\n### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS\nprint('Passed.')"
RELEASED = f"{VISIBLE}\nprint('Passed.')"
HINTS = ["Add it to <itself> & see.", "`return x + x`"]


def entry(name, **more):
    flags = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    return {"nbgrader": flags | {"grade_id": name} | more}


def answer(name, source="pass", outputs=()):
    return nbformat.v4.new_code_cell(source, metadata=entry(name, solution=True), outputs=list(outputs))


def check(name, source, outputs=(), points=2):
    metadata = entry(f"{name}-check", grade=True, locked=True, points=points)
    return nbformat.v4.new_code_cell(source, metadata=metadata, outputs=list(outputs))


def written(name, source):
    return nbformat.v4.new_markdown_cell(source, metadata=entry(name, grade=True, solution=True, points=3))


def failed(sentence):
    return nbformat.v4.new_output("error", ename="Check", evalue=sentence, traceback=[sentence])


def crashed(kind, words):
    lines = ["-" * 75, f"\x1b[31m{kind}\x1b[0m Traceback", f"----> 3 {HIDDEN}", f"{kind}: {words}"]
    return nbformat.v4.new_output("error", ename=kind, evalue=words, traceback=lines)


def shown(data, metadata=None):
    return nbformat.v4.new_output("display_data", data=data, metadata=metadata or {})


def printed(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


class Course:
    """A course of one notebook with a release, a gradebook, and autograded notebooks as given."""

    def __init__(self, root: Path, book: Path) -> None:
        self.root = root
        shutil.copy(book, root / "gradebook.db")
        self.release = root / "release" / WEEK
        self.release.mkdir(parents=True)
        (self.release / TASKS).write_text(json.dumps({"w00-double": {"hints": HINTS}}))
        released = [answer("w00-double"), check("w00-double", RELEASED), check("w00-other", RELEASED)]
        self.write(self.release / "exercises.ipynb", [*released, written("w00-essay", "*Write.*")])
        self.book = f"sqlite:///{root / 'gradebook.db'}"

    @staticmethod
    def write(path: Path, cells) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(nbformat.v4.new_notebook(cells=cells)))  # any text, halves of characters too

    def autograde(self, student: str, cells, **scores) -> None:
        """Hand in `cells` for a student, as a grader would leave them."""
        self.write(self.root / "autograded" / student / WEEK / "exercises.ipynb", cells)
        with Gradebook(self.book) as book:
            book.update_or_create_student(student)
            book.update_or_create_submission(WEEK, student)
            for name, score in scores.items():
                grade = book.find_grade(name.replace("_", "-"), "exercises", WEEK, student)
                grade.auto_score = score
            comment = book.find_comment("w00-essay", "exercises", WEEK, student)
            comment.manual_comment = f"Well put. {HOSTILE}"
            book.db.commit()

    def page(self, student: str, stock: bool = False) -> str:
        config = course_config()
        config.CourseDirectory.root = str(self.root)
        config.CourseDirectory.release_directory = str(self.root / "release")
        config.CourseDirectory.db_url = self.book
        config.HTMLExporter.sanitize_html = True
        # As in course/nbgrader_config.py, so that this module proves what is there and what would be without it.
        config.HTMLExporter.preprocessors = [] if stock else ["carelab.grading.feedback.Harmless"]
        config.HTMLExporter.filters = {} if stock else {"markdown2html": "carelab.grading.feedback.markdown"}
        config.GenerateFeedback.preprocessors = [
            *([] if stock else ["carelab.grading.feedback.HideChecks"]),
            "nbgrader.preprocessors.GetGrades",
            "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
        ]
        result = NbGraderAPI(config=config).generate_feedback(WEEK, student)
        assert result["success"], result
        return (self.root / "feedback" / student / WEEK / "exercises.html").read_text(encoding="utf-8")


class Page(HTMLParser):
    """A page as a browser takes it apart: its text, and whatever in it could do something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.live, self.images, self._skip = "", [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self._skip = tag if tag in ("script", "style") else self._skip
        if tag in ("iframe", "object", "embed", "svg", "form", "base", "link", "math", "video") or (
            tag == "script" and "mathjax" not in (values.get("src") or "") + (values.get("type") or "")
        ):
            self.live.append((tag, attrs))
        if tag == "img":
            self.images.append(values.get("src") or "")
        for name, value in attrs:
            harmful = re.match(r"\s*(javascript|vbscript|data:(?!image/png))", (value or "").replace("\n", ""), re.I)
            if name.startswith("on") or harmful or name == "srcdoc":
                self.live.append((tag, attrs))

    def handle_endtag(self, tag):
        self._skip = "" if tag == self._skip else self._skip

    def handle_data(self, data):
        self.text += "" if self._skip else data


@pytest.fixture(scope="module")
def empty_book(tmp_path_factory) -> Path:
    """A gradebook that knows the exercises and no students."""
    path = tmp_path_factory.mktemp("book") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        # As in an activated environment: nbgrader calls alembic by name.
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        with Gradebook(f"sqlite:///{path}") as book:
            book.add_assignment(WEEK)
            book.add_notebook("exercises", WEEK)
            for name in ("w00-double-check", "w00-other-check"):
                book.add_grade_cell(name, "exercises", WEEK, max_score=2, cell_type="code")
            book.add_grade_cell("w00-essay", "exercises", WEEK, max_score=3, cell_type="markdown")
            for name in ("w00-double", "w00-essay"):
                book.add_solution_cell(name, "exercises", WEEK)
    return path


@pytest.fixture
def course(tmp_path, empty_book):
    return Course(tmp_path, empty_book)


def essay(text="Calls help."):
    return written("w00-essay", text)


# ---------------------------------------------------------------- what is hidden

GRADED = [
    answer("w00-double", "def double(x):\n    return 4", [printed("hello\n")]),
    check("w00-double", COMPLETE, [failed("Try other numbers than 2.")]),
    check("w00-other", COMPLETE),
]


def test_a_page_has_messages_hints_and_scores_and_nothing_hidden(course):
    course.autograde("anna", [*GRADED, essay()], w00_double_check=0, w00_other_check=2)
    html = course.page("anna")
    text = Page(html).text
    assert "Try other numbers than 2." in text and "return 4" in text and "hello" in text
    first, second = (text.index(f"Hint {number} of 2: {hint}") for number, hint in enumerate(HINTS, 1))
    assert text.index("Try other numbers than 2.") < first < second
    assert text.count("Hint 1 of 2") == 1  # the other check passed
    assert text.count('double(2) == 4, "2 gives 4"') == 2  # what was released is shown
    assert "(Score: 2.0 / 7.0)" in text and "Score: 0.0 / 2.0" in text and "Score: 2.0 / 2.0" in text
    for hidden in ("8675309", "double(17)", "HIDDEN"):
        assert hidden not in html


def test_nbgraders_own_page_gives_the_hidden_check_away(course):
    course.autograde("anna", [*GRADED, essay("<script>alert(1)</script>")])
    page = Page(course.page("anna", stock=True))
    assert "8675309" in page.text
    assert ("script", []) in page.live  # although sanitize_html is set


@pytest.mark.parametrize(
    "outputs, sentence",
    [
        ([crashed("AssertionError", "Try other numbers than 2.")], "Try other numbers than 2."),
        ([crashed("AssertionError", "")], "A check failed without a message."),
        ([crashed("NameError", "name 'double' is not defined")], "name 'double' is not defined. Run your cell first"),
        ([printed("careful: 8675308\n", "stderr")], "The check wrote a warning, which nbgrader counts as a failure"),
        (
            [printed("8675309"), shown({"text/plain": "8675309"}), crashed("KeyError", "'a'")],
            "stopped with KeyError: 'a'",
        ),
    ],
)
def test_a_traceback_becomes_a_sentence(course, outputs, sentence):
    """As plain `nbgrader autograde` leaves them."""
    own = answer("w00-double", "1 / 0", [printed("before"), crashed("ZeroDivisionError", "division by zero")])
    course.autograde("anna", [own, check("w00-double", COMPLETE, outputs), essay()])
    html = course.page("anna")
    text = " ".join(Page(html).text.split())
    assert sentence in text and "Hint 2 of 2" in text
    assert "before" in text and "Your code stopped with ZeroDivisionError: division by zero" in text
    assert "8675309" not in html and "Traceback" not in text and "----" not in text


@pytest.mark.parametrize(
    "source, left",
    [
        (COMPLETE, RELEASED),
        (VISIBLE, NOT_SHOWN),
        (COMPLETE.replace("### END HIDDEN TESTS", ""), NOT_SHOWN),
        (COMPLETE.replace("### BEGIN HIDDEN TESTS", ""), NOT_SHOWN),
        (COMPLETE + "\n" + COMPLETE.replace("### END", "### BEGIN"), NOT_SHOWN),
        (COMPLETE + "\n" + COMPLETE, RELEASED + "\n" + RELEASED),
    ],
)
def test_without_a_release_only_what_is_surely_not_hidden_is_shown(course, source, left):
    (course.release / "exercises.ipynb").unlink()
    (course.release / TASKS).write_text("{")
    course.autograde("anna", [answer("w00-double"), check("w00-double", source, [failed("No.")]), essay()])
    html = course.page("anna")
    text = Page(html).text
    assert "8675309" not in html and "No." in text
    assert text.count("2 gives 4") == left.count("2 gives 4") and (NOT_SHOWN in text) == (left == NOT_SHOWN)


def test_a_release_that_holds_hidden_tests_gives_none_away(course):
    course.write(course.release / "exercises.ipynb", [check("w00-double", COMPLETE)])
    course.autograde("anna", [*GRADED, essay()])
    assert "8675309" not in course.page("anna")


# ---------------------------------------------------------------- what is live

TRICKS = {
    "script": "<script>alert(1)</script>",
    "split script": "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "image": "<img src=x onerror=alert(1)>",
    "unclosed image": '<img src=x onerror="alert(1)"',
    "image of markdown": '![x](x "a\\" onerror=\\"alert(1)")',
    "picture from elsewhere": "![x](https://example.org/seen.png)",
    "attachment that is not there": "![x](attachment:gone.png)",
    "link": "[x](javascript:alert(1))",
    "link in pieces": "[x](java\nscript:alert(1)) [y](  JaVaScRiPt:alert(1)) <javascript:alert(1)>",
    "link with entities": "[x](&#106;avascript&colon;alert(1)) <a href='java&#10;script:alert(1)'>y</a>",
    "link by reference": "[x]\n\n[x]: javascript:alert(1)",
    "data link": "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "raw HTML in a paragraph": "Fine <b onclick='alert(1)' style='position:fixed'>bold</b> <iframe src=//x></iframe>",
    "block of HTML": "<div>\n<form action=//x><input autofocus onfocus=alert(1)></form>\n</div>",
    "SVG": "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "MathML": "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "comment": "<!--><img src=x onerror=alert(1)>-->",
    "style": "<style>body{display:none}</style>",
    "formula": "$</script><script>alert(1)</script>$ and $$<img src=x onerror=alert(1)>$$",
    "formula with a link": r"$\href{javascript:alert(1)}{x}$ \\(\require{html}\\) \begin{a}<img src=x onerror=alert(1)>\end{a}",
    "environment": r"\begin{<img src=x onerror=alert(1)>}x\end{<img src=x onerror=alert(1)>}",
    "code": "```html\n<script>alert(1)</script>\n```\n`<img src=x onerror=alert(1)>`",
    "language": '```"><img/src=x/onerror=alert(1)>\nx\n```',
    "mermaid": "```mermaid\n<img src=x onerror=alert(1)>\n```",
    "heading": "# <img src=x onerror=alert(1)>\n## [x](javascript:alert(1))",
    "table": "|a|\n|-|\n|<img src=x onerror=alert(1)>|",
    "half a character": "a \ud800 \0 \x1b[31m b",
    "deep": "<b>" * 3300,
    "deep quotes": ">" * 9900,
    "brackets": "[" * 9900,
    "stars": "*a **a " * 1400,
    "ticks": "`" * 5000 + "a" + "`" * 4900,
    "environments": r"\begin{a}" * 1100,
    "links": "[a](" * 2400,
    "references": "![" * 4900,
    "very long": "<script>" * 3000,
}


@pytest.mark.parametrize("trick", TRICKS)
def test_markdown_that_anybody_wrote_is_not_live(trick):
    environment = Environment()
    environment.filters["markdown2html"] = markdown
    begun = time.monotonic()
    html = environment.from_string("{{ source | markdown2html }}").render(source=TRICKS[trick], cell=essay())
    page = Page(html)
    assert not page.live and not page.images and "tex2jax_ignore" in html
    assert html.encode("utf-8") and "\0" not in html
    assert html.count("style=") == 0 and html.count("class=") == 1
    assert time.monotonic() - begun < 10


def test_plain_formatting_stays():
    environment = Environment()
    environment.filters["markdown2html"] = markdown
    source = "# Policy\n\n- **15** calls, $5 each\n- [source](https://example.org)\n\n|a|b|\n|-|-|\n|1|2|"
    template = environment.from_string("{{ source | markdown2html }}")
    html = template.render(source=source, cell=essay())
    for part in ("<h1>Policy</h1>", "<strong>15</strong> calls, $5", '<a href="https://example.org">', "<td>1</td>"):
        assert part in html
    course_cell = nbformat.v4.new_markdown_cell("$x^2$")
    assert "$x^2$" in (html := template.render(source="$x^2$", cell=course_cell)) and "ignore" not in html
    assert "ignore" in template.render(source="$x^2$")  # a comment: no cell is known


OUTPUTS = [
    shown({"text/html": "<script>alert('html')</script>", "text/plain": "a table"}),
    shown({"text/html": "<img src=x onerror=alert(1)>"}, {"text/html": {"isolated": True}}),
    shown({"image/svg+xml": "<svg onload=alert(1)></svg>", "text/plain": "<b>a figure</b>"}),
    shown({"application/javascript": "alert(1)"}),
    shown({"text/markdown": "[x](javascript:alert(1))", "text/latex": r"$\href{javascript:alert(1)}{x}$"}),
    shown({"application/vnd.jupyter.widget-view+json": {"model_id": "</script><script>alert(1)</script>"}}),
    shown({"image/png": PNG}, {"image/png": {"width": "1 onload=alert(1)", "height": "1 onerror=alert(1)"}}),
    shown({"image/png": '" onerror="alert(1)'}),
    shown({"image/png": base64.b64encode(b"<svg onload=alert(1)></svg>").decode()}),
    printed("<script>alert(1)</script>\x1b[31m<img src=x onerror=alert(1)>\x1b]0;title\x07\ud800\0"),
    printed("<b>", "stderr"),
    printed("x" * 500_000),
    crashed("<img src=x onerror=alert(1)>", "<script>alert(1)</script>"),
    *[printed("again\n")] * 60,
]


@pytest.mark.parametrize("student", ["anna", HOSTILE.replace("/", ""), "';--{{7*7}}"])
def test_nothing_that_a_student_wrote_is_live_on_the_page(course, student):
    own = answer("w00-double", "</pre><script>alert(1)</script>\ud800\0", OUTPUTS)
    own.metadata |= {"tags": ['"><script>'], "magics_language": "html", "title": "<script>"}
    pasted = nbformat.v4.new_markdown_cell(TRICKS["image"], attachments={"a": {"text/html": "<script>"}})
    named = nbformat.v4.new_code_cell("a = 1", metadata=entry('"><img src=x onerror=alert(1)>', solution=True))
    raw = nbformat.v4.new_raw_cell("<script>alert(1)</script>", metadata={"raw_mimetype": "text/html"})
    check_cell = check("w00-double", COMPLETE, [failed("<script>alert(1)</script> & more")])
    short = [trick for trick in TRICKS.values() if len(trick) < 500]
    more = [nbformat.v4.new_markdown_cell(trick) for trick in short]
    cells = [own, check_cell, pasted, named, raw, *more, essay("\n\n".join(short))]
    course.autograde(student, cells, w00_double_check=1)
    html = course.page(student)
    page = Page(html)
    assert not page.live
    assert [source.split(",")[1] for source in page.images] == [PNG]
    assert "a table" in page.text and "<b>a figure</b>" in page.text
    assert "<script>alert(1)</script> & more" in page.text and "Well put. <img" in page.text
    assert "Your code stopped with <img src=x onerror=alert(1)>: <script>" in page.text
    assert "x\n[… and more]" in page.text and 0 < page.text.count("again") < 50
    assert "(Score: 1.0 / 7.0)" in page.text


def test_the_same_page_is_live_without_this(course):
    """Each of the walls holds something that sanitize_html lets through."""
    for wrong in (essay("[x](javascript:alert(1))"), answer("w00-double", "", OUTPUTS[6:7])):
        course.autograde("anna", [wrong])
        assert Page(course.page("anna", stock=True)).live
        assert not Page(course.page("anna")).live


def test_what_the_formgrader_shows_is_not_live_either_and_hides_nothing(course):
    """It uses the same exporter with another template, for an instructor: hidden checks and tracebacks stay."""
    own = answer("w00-double", "x", OUTPUTS)
    cells = [own, check("w00-double", COMPLETE, [crashed("KeyError", "'a'")]), essay(TRICKS["image"])]
    course.write(course.root / "exercises.ipynb", cells)
    formgrader = {"template_name": "formgrade", "extra_template_basedirs": [template_path]}
    resources = {"index": 0, "total": 1, "base_url": "", "first_name": "", "last_name": ""}
    pages = []
    for config in ({}, {"preprocessors": [Harmless], "filters": {"markdown2html": markdown}}):
        exporter = HTMLExporter(sanitize_html=True, **formgrader, **config)
        html, _ = exporter.from_filename(str(course.root / "exercises.ipynb"), resources=dict(resources))
        pages.append(Page(html[html.index('id="notebook-container"') :]))
    stock, body = pages
    assert stock.live  # sanitize_html is set
    assert not body.live and "8675309" in body.text and "KeyError Traceback" in body.text


def test_a_page_takes_little_time(course, record_property):
    long = "\n".join(f"value_{number} = (1, 'text', [{number}])" for number in range(200))
    checks = [check("w00-double", COMPLETE, [failed("No.")]) for _ in range(10)]
    course.autograde("anna", [answer("w00-double", long), *checks, essay()])
    course.page("anna")
    begun = time.perf_counter()
    course.page("anna")
    seconds = time.perf_counter() - begun
    record_property("seconds", round(seconds, 2))
    assert seconds < 10


def test_hidden_lines_in_a_cell_without_a_name_are_cut():
    assert feedback._outside(COMPLETE) == RELEASED
