"""Keep what a project made: each week's artefacts lie in `portfolio/` beside the notebook that made them."""

import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

FOLDER = "portfolio"


def keep(project: str, title: str, facts: dict[str, Any], figure: Figure | None = None) -> Path:
    """Save a project's result as `portfolio/<project>.json`, with its figure beside it, and return the path.

    `facts` holds what JSON can hold: numbers, strings, lists, tables as lists of dicts. The figure's file name carries
    no date, so that keeping twice replaces the first. Written beside, then renamed.
    """
    folder = Path.cwd() / FOLDER
    folder.mkdir(exist_ok=True)
    content: dict[str, Any] = {
        "project": project,
        "title": title,
        "data": "synthetic (Lakeshore Health)",
        "facts": facts,
    }
    if figure is not None:
        content["figure"] = f"{project}.png"
        beside = folder / f".{project}.new.png"
        figure.savefig(beside, dpi=150, bbox_inches="tight")
        beside.replace(folder / content["figure"])
    path = folder / f"{project}.json"
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(path)
    return path
