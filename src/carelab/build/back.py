"""The way back: an instructor's edit in JupyterLab becomes an edit of the authors' text."""

from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from carelab.build import markers, source
from carelab.build.markers import Marker
from carelab.errors import UserError
from carelab.paths import COURSE


def text_of(notebook: NotebookNode, hints: dict[str, list[str]]) -> str:
    """The percent-format text of a solutions notebook, with its hints put back behind each exercise's check."""
    parts = []
    for cell in notebook.cells:
        mark = markers.marker_of(cell.metadata)
        parts.append(_cell(cell, mark))
        if mark and mark.kind in ("check", "written") and mark.name in hints:
            parts.append(_hint_cell(mark.name, hints[mark.name]))
    return "\n\n".join(parts) + "\n"


def _cell(cell: NotebookNode, mark: Marker | None) -> str:
    header = "# %%" if cell.cell_type == "code" else f"# %% [{cell.cell_type}]"
    if mark:
        header += f' {mark.kind}="{mark.name}"'
        if mark.points is not None:
            header += f" points={mark.points:g}"
        if mark.skills:
            header += f' skills="{" ".join(mark.skills)}"'
    if cell.metadata.get("tags"):
        tags = ", ".join(f'"{tag}"' for tag in cell.metadata["tags"])
        header += f" tags=[{tags}]"
    if cell.cell_type == "markdown":
        return header + "\n" + _quoted(cell.source)
    # jupytext knows how to comment out magics; its own header line is replaced by ours.
    lone = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.source)])
    body = jupytext.writes(lone, fmt="py:percent").split("# %%\n", 1)[1].rstrip("\n")
    return f"{header}\n{body}"


def _hint_cell(name: str, hints: list[str]) -> str:
    lines = "\n".join(f"{number}. {hint}" for number, hint in enumerate(hints, 1))
    return f'# %% [markdown] hint="{name}"\n{_quoted(lines)}'


def _quoted(text: str) -> str:
    prefix = "r" if "\\" in text else ""
    return f'{prefix}"""\n{text}\n"""'


def sync(path: Path) -> Path:
    """Write the text of an edited notebook under solutions/ over its source in course/, and return that path.

    The new text is read back before anything is replaced, so that a notebook that cannot be expressed loses nothing.
    Raises UserError when `path` is no readable notebook of this course.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a readable notebook: {str(error).splitlines()[0]}") from error
    except Exception as error:  # nbformat raises its own kinds for JSON that is no notebook
        raise UserError(f"{path} is not a notebook nbformat understands.") from error
    target = COURSE / path.resolve().parent.name / f"{path.stem}.py"
    if not target.is_file():
        raise UserError(f"{path} belongs to no text in course/; edit a notebook under solutions/.")
    if not any("BEGIN SOLUTION" in cell.source for cell in notebook.cells) and "BEGIN SOLUTION" in target.read_text():
        raise UserError(f"{path} holds no solutions: it is a learner's copy. Edit the one under solutions/.")
    text = text_of(notebook, source.read(target).hints)
    beside = target.with_name(f"_{target.stem}.new.py")
    beside.write_text(text, encoding="utf-8", newline="\n")
    try:
        source.read(beside)
    except UserError as error:
        beside.unlink()
        raise UserError(f"The edit cannot be taken over: {str(error).replace(beside.name, path.name)}") from error
    beside.replace(target)
    return target
