"""Keep what a project made: each week's artefacts lie in `portfolio/` beside the notebook that made them."""

import io
import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from carelab import files

FOLDER = "portfolio"


def keep(project: str, title: str, facts: dict[str, Any], figure: Figure | None = None) -> Path:
    """Save a project's result as `portfolio/<project>.json`, with its figure beside it, and return the path.

    `facts` holds what JSON can hold: numbers, strings, lists, tables as lists of dicts. The figure's file name carries
    no date, so that keeping twice replaces the first. Written beside, then renamed.
    """
    folder = Path.cwd() / FOLDER
    content: dict[str, Any] = {
        "project": project,
        "title": title,
        "data": "synthetic (Lakeshore Health)",
        "facts": facts,
    }
    if figure is not None:
        content["figure"] = f"{project}.png"
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=150, bbox_inches="tight")
        files.write(folder / content["figure"], picture.getvalue())
    path = folder / f"{project}.json"
    files.write(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return path
