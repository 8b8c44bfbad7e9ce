"""A learner's portfolio: what the projects left, as one page and one PDF that can be shown to others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from carelab import files
from carelab.errors import UserError
from carelab.learner.progress import Progress

FOLDER = "portfolio"  # in the workspace, unless the learner says otherwise


@dataclass(frozen=True)
class Made:
    """The two files, how many projects they show, and a sentence for each thing that could not be read."""

    page: Path
    pdf: Path
    projects: int
    left_out: tuple[str, ...]


def make(workspace: Path, progress: Progress, name: str = "", out: Path | None = None) -> Made:
    """Write `portfolio.html` and `portfolio.pdf` into `out`, by default `portfolio/` in the workspace.

    Both are made before either is written. Raises UserError when nothing has been kept yet, or a file cannot be written.
    """
    from carelab.learner.portfolio import content, html, pdf

    portfolio = content.collect(workspace, progress, name)
    folder = out or workspace / FOLDER
    made = {"portfolio.html": html.render(portfolio).encode(), "portfolio.pdf": pdf.render(portfolio)}
    for file, data in made.items():
        try:
            files.write(folder / file, data)
        except OSError as error:
            raise UserError(
                f"{folder / file} could not be written ({error.strerror or type(error).__name__}): "
                "close it if a program has it open, or choose another folder with --out."
            ) from error
    return Made(folder / "portfolio.html", folder / "portfolio.pdf", len(portfolio.entries), portfolio.left_out)
