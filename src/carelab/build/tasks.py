"""What a week asks of a learner, for the file that ships beside its notebooks: names, places, points, skills and hints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from carelab.build import markers
from carelab.build.source import Source
from carelab.curriculum import NOTEBOOKS

_HEADING = re.compile(r"^#{1,6}\s+(\S.*?)\s*$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_POINTS = re.compile(r"\s*\(\d+ points?\)$")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def tasks(sources: Iterable[Source]) -> dict[str, dict[str, Any]]:
    """Tasks by name, in the order in which a learner meets them: lesson, exercises, project, and in each from the top."""
    found: dict[str, dict[str, Any]] = {}
    for source in sorted(sources, key=_order):
        heading = ""
        for cell in source.notebook.cells:
            mark = markers.marker_of(cell.metadata)
            if mark is None:
                if cell.cell_type == "markdown":
                    heading = (_HEADING.findall(_FENCE.sub("", cell.source)) or [heading])[-1]
                continue
            if mark.kind != "check":
                found[mark.name] = {**_place(source, heading), "skills": list(mark.skills)}
                found[mark.name]["hints"] = source.hints.get(mark.name, [])
            if mark.kind != "exercise":  # the points of an exercise stand on its check
                points = cell.metadata["nbgrader"]["points"]
                kind = "written" if mark.kind == "written" else "exercise" if points else "gate"
                found[mark.name] |= {"kind": kind, "points": points}
    order = ("notebook", "title", "anchor", "kind", "points", "skills", "hints")
    return {name: {key: task[key] for key in order} for name, task in found.items()}


def _order(source: Source) -> tuple[int, str]:
    stem = source.path.stem
    return NOTEBOOKS.index(stem) if stem in NOTEBOOKS else len(NOTEBOOKS), stem


def _place(source: Source, heading: str) -> dict[str, Any]:
    words = _LINK.sub(r"\1", heading).replace("`", "").replace("*", "")
    return {"notebook": source.path.stem, "title": _POINTS.sub("", words), "anchor": anchor(words)}


def anchor(heading: str) -> str:
    """The link to a heading in a notebook: JupyterLab takes the words as they are, with hyphens in the place of spaces."""
    return f"#{heading.replace(' ', '-')}"
