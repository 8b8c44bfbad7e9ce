"""Pages that show what a student wrote: for learners without hidden checks, and for nobody as live HTML.

nbgrader's configuration names what is here. `sanitize_html` alone is not enough: the templates of nbgrader's feedback and formgrader
put written answers and comments on the page as they are.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import textwrap
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import bleach  # type: ignore[import-untyped]
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode, v4
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import List

from carelab.errors import UserError
from carelab.grading.rebuild import graded, read_notebook
from carelab.grading.submission import usable
from carelab.grading.words import explain
from carelab.paths import TASKS

MARKDOWN_CHARACTERS = 10_000  # a longer text is shown as it was typed: some take minutes to be laid out
TEXT_CHARACTERS = 10_000
SOURCE_CHARACTERS = 200_000
IMAGE_CHARACTERS = 4_000_000
OUTPUTS = 50
NOT_SHOWN = "# This check is not shown."

_BEGIN, _END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
_NAME = re.compile(r"[\w-]{1,200}", re.ASCII)
_CONTROL = re.compile(
    r"[\x01-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]"
)  # the rest of the escape codes are colours, or dropped later
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PNG = b"\x89PNG\r\n\x1a\n"

_TAGS = {
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "p",
    "div",
    "span",
    "br",
    "hr",
    "blockquote",
    "pre",
    "code",
    "kbd",
    "details",
    "summary",
}
_TAGS |= {"ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "a", "abbr"}
_TAGS |= {"b", "strong", "i", "em", "u", "s", "del", "q", "small", "sub", "sup"}
# No class, id or style: they can dress a text up as a part of the page.
_ATTRIBUTES = {"a": ["href", "title"], "abbr": ["title"], "ol": ["start"], "td": ["align"], "th": ["align"]}


# ---------------------------------------------------------------- text


class _Renderer(IPythonRenderer):
    """Markdown without pictures: one from elsewhere tells its owner who reads the page, and when."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return escape(f"[picture: {text or url}]")


@pass_context
def markdown(context: Context, source: str) -> str:
    """nbconvert's filter `markdown2html`, for text that anybody may have written: only plain formatting comes through.

    Formulas are set in the course's own cells only. In answers and comments they stay as typed: two prices in a line are no formula.
    """
    text = _plain(source, len(source))
    if len(text) > MARKDOWN_CHARACTERS:
        return f'<pre class="tex2jax_ignore">{escape(text[:SOURCE_CHARACTERS])}</pre>'
    try:
        renderer = _Renderer(escape=False, allow_harmful_protocols=False, exclude_anchor_links=True)
        html = bleach.clean(
            MarkdownWithMath(renderer=renderer).render(text),
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            protocols=["http", "https", "mailto"],
        )
    except Exception:  # a parser of anything raises anything, and one answer must not cost the page
        return f'<pre class="tex2jax_ignore">{escape(text)}</pre>'
    cell = context.get("cell")
    own = isinstance(cell, NotebookNode) and not cell.metadata.get("nbgrader")
    return f'<div class="{"" if own else "tex2jax_ignore"}">{html}</div>'


def _plain(text: Any, most: int = TEXT_CHARACTERS) -> str:
    """`text` without what a page or a file cannot hold; cut when it is long, empty when it is none."""
    if not isinstance(text, str):
        return ""
    kept = _CONTROL.sub("", usable(text[:most]))
    return kept if len(text) <= most else f"{kept}\n[… and more]"


# ---------------------------------------------------------------- cells


class Harmless(NbGraderPreprocessor):  # type: ignore[misc]
    """Takes everything out of a notebook that is more than text and pictures: for every page that nbgrader makes of one."""

    # Not used; nbconvert's exporters set it, and a line in the log for each page would say that it is not known.
    display_data_priority: Any = List().tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """The notebook with plain outputs, and without metadata but nbgrader's own."""
        nb.metadata = NotebookNode(language_info={"name": "python"})
        nb.cells = [cell for cell in nb.cells if cell.cell_type in ("code", "markdown")]
        for number, cell in enumerate(nb.cells):
            entry = graded(cell)
            # Its name is put on the page as it is.
            named = entry and isinstance(entry["grade_id"], str) and _NAME.fullmatch(entry["grade_id"])
            cell.metadata = NotebookNode(nbgrader=entry) if named else NotebookNode()
            cell.source = _plain(cell.source, SOURCE_CHARACTERS)
            cell.id = f"cell-{number}"
            cell.pop("attachments", None)
            if cell.cell_type == "code":
                cell.execution_count = cell.execution_count if isinstance(cell.execution_count, int) else None
                cell.outputs = [kept for output in cell.outputs[:OUTPUTS] if (kept := _output(output))]
        return nb, resources


def _new(kind: str, **content: Any) -> NotebookNode:
    output: NotebookNode = v4.new_output(kind, **content)
    return output


def _output(output: NotebookNode) -> NotebookNode | None:
    """An output as text or a picture; None when it is neither. Its metadata, which a template may not escape, is left out."""
    if output.output_type == "stream":
        return _new("stream", name="stderr" if output.name == "stderr" else "stdout", text=_plain(output.text))
    if output.output_type == "error":
        lines = [_plain(line) for line in output.traceback[-OUTPUTS:]]
        return _new("error", ename=_plain(output.ename), evalue=_plain(output.evalue), traceback=lines)
    data = {}
    if text := _plain(output.data.get("text/plain")):
        data["text/plain"] = text
    if picture := _picture(output.data.get("image/png")):
        data["image/png"] = picture
    # A text for the picture, as nbconvert's log has a line about every picture without one.
    return (
        _new("display_data", data=data, metadata={"image/png": {"alt": "A picture made by this cell"}})
        if data
        else None
    )


def _picture(data: Any) -> str:
    if not isinstance(data, str) or len(data) > IMAGE_CHARACTERS:
        return ""
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
    except (ValueError, binascii.Error):
        return ""
    return base64.b64encode(raw).decode() if raw.startswith(_PNG) else ""


# ---------------------------------------------------------------- checks


class HideChecks(Harmless):
    """Feedback for learners: each check as it was released, its one sentence, and where it failed the exercise's hints.

    Goes before GetGrades. What was released is looked up in the release folder; without it, what stands outside the markers of
    hidden tests is shown, and without markers nothing.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """The notebook without hidden checks, tracebacks and live HTML."""
        nb, resources = super().preprocess(nb, resources)
        about, places = resources["nbgrader"], CourseDirectory(config=self.config)
        folder = Path(places.format_path(places.release_directory, ".", about["assignment"]))
        released, hints = self._released(folder / f"{about['notebook']}.ipynb"), _hints(folder / TASKS)
        for cell in nb.cells:
            entry = graded(cell)
            sentence = _sentence(cell)
            if not entry or entry.get("solution") or entry.get("task"):
                if _BEGIN in cell.source and not entry:
                    cell.source = _outside(cell.source)
                if cell.cell_type == "code":
                    cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
                    cell.outputs += [_error(sentence)] if sentence else []
                continue
            cell.source = released.get(entry["grade_id"], _outside(cell.source))
            if cell.cell_type == "code":
                warning = next((o.text for o in cell.outputs if o.get("name") == "stderr"), "")
                if warning and not sentence:
                    sentence = f"The check wrote a warning, which nbgrader counts as a failure: {_one(warning)}"
                cell.outputs, cell.execution_count = [], None
                if sentence:
                    known = hints.get(entry["grade_id"].removesuffix("-check"), [])
                    cell.outputs = [_error(sentence), *_shown(known)]
        return nb, resources

    def _released(self, path: Path) -> dict[str, str]:
        try:
            return _sources(path, path.stat().st_mtime_ns)
        except (OSError, UserError):
            self.log.warning("There is no readable release at %s: feedback shows only what is surely not hidden.", path)
            return {}


@lru_cache(maxsize=32)
def _sources(path: Path, _: int) -> dict[str, str]:
    """Sources by grade_id in a released notebook, as of a time."""
    cells = read_notebook(path).cells
    found = {entry["grade_id"]: cell.source for cell in cells if (entry := graded(cell))}
    return {name: _outside(source) if _BEGIN in source else source for name, source in found.items()}


def _outside(source: str) -> str:
    """What stands outside the markers of hidden tests; nothing where that is not certain."""
    kept, hidden, marked = [], False, False
    for line in source.splitlines():
        if _BEGIN in line or _END in line:
            if (_BEGIN in line) == hidden:
                return NOT_SHOWN
            hidden, marked = not hidden, True
        elif not hidden:
            kept.append(line)
    return "\n".join(kept) if marked and not hidden else NOT_SHOWN


def _sentence(cell: NotebookNode) -> str:
    """What stopped a cell, as a learner should read it; empty when nothing did."""
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            return _one(output.evalue if output.ename == "Check" else explain(output.ename, output.evalue))
    return ""


def _one(text: str) -> str:
    return " ".join(_COLOUR.sub("", text).split())[:1000]


def _error(sentence: str) -> NotebookNode:
    return _new("error", ename="Check", evalue=sentence, traceback=_wrapped(sentence))


def _wrapped(text: str) -> list[str]:
    """Lines that fit: the page shows outputs as they are, and cuts what is wider."""
    return textwrap.wrap(text, 105)


def _shown(hints: list[str]) -> list[NotebookNode]:
    texts = [f"Hint {number} of {len(hints)}: {_one(hint)}" for number, hint in enumerate(hints, 1)]
    lines = [line for text in texts for line in _wrapped(text)]
    return [_new("stream", name="stdout", text="\n".join(lines))] if lines else []


def _hints(path: Path) -> dict[str, list[str]]:
    """Hints by exercise; none where the file is not as the build writes it."""
    try:
        tasks: dict[str, dict[str, list[str]]] = json.loads(path.read_text(encoding="utf-8"))
        return {name: task["hints"] for name, task in tasks.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
