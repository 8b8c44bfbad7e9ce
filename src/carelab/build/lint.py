"""House rules for a notebook: what fails a build, and what only earns a warning."""

import re
from dataclasses import dataclass

from nbformat import NotebookNode

MAX_CODE_LINES = 12
MAX_WORDS = 120
CELLS = (25, 45)
FIGURE_IN_WORDS = "*In words:*"

_ABSOLUTE_PATH = re.compile(r"""["'](/(?!/)[A-Za-z]|[A-Za-z]:[\\/]|~[\\/])""")
_NETWORK = re.compile(
    r"^\s*(?:import|from)\s+(requests|urllib|httpx|aiohttp|socket|ftplib|smtplib)\b|urlopen\(|read_(?:csv|json|parquet)\(\s*[\"']https?:",
    re.MULTILINE,
)
_UNSAFE = re.compile(r"verify\s*=\s*False|allow_dangerous_\w+|(?:api_key|password|token)\s*=\s*[\"'][^\"']+[\"']", re.I)
_HEADING = re.compile(r"^(#{1,6})\s+\S", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_IMAGE_WITHOUT_ALT = re.compile(r"!\[\s*\]\(|<img(?![^>]*\balt=[\"'][^\"']+[\"'])[^>]*>")
# Somebody who hears a page has its links read out one after the other: each has to say where it goes.
_VAGUE_LINK = re.compile(r"(?<!!)\[\s*(?:(?:click\s+)?here|this|this link|link|more|read more)?\s*\]\(", re.I)
# A figure in bold is a claim: it has to be computed or set in the same notebook, so that prose and code cannot part.
_CLAIM = re.compile(r"\*\*([0-9][0-9.,]*)(?=[\s%*])[^*\n]*\*\*")
_NUMBER = re.compile(r"[0-9][0-9,]*(?:\.[0-9]+)?")
_SMALL_PRINT = re.compile(r"\s*(#|import |from )")  # nobody reads these line by line
# A widget is shown under a random name, so no output of it is kept; without the tag, nbval would miss one.
_WIDGET = re.compile(r"\binteract(?:ive|ive_output)?\(|\bwidgets\.[A-Z]\w*\(")
_UNCOMPARED = "nbval-ignore-output"
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")


@dataclass(frozen=True)
class Finding:
    """One thing to mend: which cell (counted from 0), a sentence, and whether it fails the build."""

    cell: int
    sentence: str
    fatal: bool = True


def lint(notebook: NotebookNode) -> list[Finding]:
    """Findings on an executed notebook, fatal ones first. An unexecuted one is judged without its outputs."""
    from carelab.grading.course import unanswered  # the one look upwards: what a check compares is the grader's to say

    found = [*_headings(notebook), *_size(notebook), *_claims(notebook)]
    found += [Finding(0, sentence) for sentence in unanswered(notebook)]
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            found += _prose(index, cell)
        elif cell.cell_type == "code":
            found += _code(index, cell)
            found += _outputs(index, cell, notebook)
    return sorted(found, key=lambda finding: (not finding.fatal, finding.cell))


def _headings(notebook: NotebookNode) -> list[Finding]:
    found: list[Finding] = []
    level, titles = 0, 0
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown":
            continue
        for marks in _HEADING.findall(_FENCE.sub("", cell.source)):
            titles += len(marks) == 1
            if len(marks) > level + 1:
                found.append(Finding(index, f"heading of level {len(marks)} right after level {level}."))
            level = len(marks)
    if titles != 1:
        found.append(Finding(0, f"{titles} headings of level 1; a notebook has one title."))
    return found


def _claims(notebook: NotebookNode) -> list[Finding]:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    texts = [cell.source for cell in code] + [_text(output) for cell in code for output in cell.get("outputs", [])]
    stated = {number for text in texts for number in _NUMBER.findall(text)}
    return [
        Finding(index, f"the prose says {claim} in bold, but {claim} stands in no code or output of the notebook.")
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
        for claim in (number.rstrip(".,") for number in _CLAIM.findall(cell.source))
        if claim not in stated
    ]


def _text(output: NotebookNode) -> str:
    return str(output.get("text", "") or output.get("data", {}).get("text/plain", ""))


def _size(notebook: NotebookNode) -> list[Finding]:
    low, high = CELLS
    count = len(notebook.cells)
    if low <= count <= high:
        return []
    return [Finding(0, f"{count} cells; {low} to {high} read best.", fatal=False)]


def _prose(index: int, cell: NotebookNode) -> list[Finding]:
    found = []
    if _IMAGE_WITHOUT_ALT.search(cell.source):
        found.append(Finding(index, "an image without alternative text."))
    if _VAGUE_LINK.search(cell.source):
        found.append(Finding(index, "a link whose words do not say where it goes."))
    words = len(cell.source.split())
    if words > MAX_WORDS and "|" not in cell.source and "nbgrader" not in cell.metadata:
        found.append(Finding(index, f"{words} words in one cell; at most {MAX_WORDS} are read.", fatal=False))
    return found


def _code(index: int, cell: NotebookNode) -> list[Finding]:
    found = []
    if _ABSOLUTE_PATH.search(cell.source):
        found.append(Finding(index, "an absolute path; use carelab.paths."))
    if _NETWORK.search(cell.source):
        found.append(Finding(index, "a network call; notebooks run offline."))
    if _UNSAFE.search(cell.source):
        found.append(Finding(index, "a key in a cell or a switched-off check that a reader could copy."))
    if _WIDGET.search(cell.source) and _UNCOMPARED not in cell.metadata.get("tags", []):
        found.append(Finding(index, f'shows a widget; mark the cell tags=["{_UNCOMPARED}"], and a figure before it.'))
    lines = [line for line in cell.source.splitlines() if line.strip() and not _SMALL_PRINT.match(line)]
    if "nbgrader" not in cell.metadata and len(lines) > MAX_CODE_LINES:
        found.append(Finding(index, f"{len(lines)} lines of code; at most {MAX_CODE_LINES}.", fatal=False))
    return found


def _outputs(index: int, cell: NotebookNode, notebook: NotebookNode) -> list[Finding]:
    found = []
    shows_figure = False
    for output in cell.get("outputs", []):
        shows_figure = shows_figure or "image/png" in output.get("data", {})
        if output.output_type == "stream" and output.name == "stderr":
            found.append(Finding(index, f"writes to stderr, which nbgrader scores 0: {output.text.strip()[:100]!r}."))
        if _ADDRESS.search(_text(output)):
            found.append(Finding(index, "prints a memory address, which differs on every run."))
    if shows_figure:
        after = notebook.cells[index + 1] if index + 1 < len(notebook.cells) else None
        if after is None or not after.source.startswith(FIGURE_IN_WORDS):
            found.append(Finding(index, f"a figure whose next cell does not begin with {FIGURE_IN_WORDS}"))
    return found
