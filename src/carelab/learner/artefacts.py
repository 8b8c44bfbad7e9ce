"""Keep what a project made: each week's artefacts lie in `portfolio/` beside the notebook that made them."""

from __future__ import annotations

import io
import json
import math
import os
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from carelab import curriculum, files
from carelab.errors import UserError

FOLDER = "portfolio"
TABLE_ROWS = 1000
DEPTH = 6
JSON_BYTES = 1_000_000
FIGURES = 12
DPI = 150

_TELL = 'in_words="Five bars: …"'


def keep(
    project: str,
    title: str,
    facts: dict[str, Any],
    figure: Figure | None = None,
    in_words: str = "",
    *,
    figures: dict[str, tuple[Figure, str]] | None = None,
) -> Path:
    """Save a project's result as `portfolio/<project>.json`, with its figures beside it, and return the path.

    project: its id in the curriculum, such as "J11". title: what the reader of the portfolio sees above it.
    facts: numbers, texts, lists, tables (a DataFrame or a list of dicts), or dicts of these; the keys become labels.
    figure, in_words: a chart, and what it shows for people who cannot see it. figures: further ones, {caption: (chart, words)}.

    Keeping twice replaces the first, with the same bytes for the same result. Written beside, then renamed.
    Raises UserError for a project the course does not have, a figure without words, and facts that no page could show.
    """
    if os.path.isfile(curriculum.CURRICULUM):  # the grader's sandbox does not show it
        curriculum.load().project(project)
    if not isinstance(title, str) or not title.strip():
        raise UserError("Give the result a title: a few words that say what it is.")
    if not isinstance(facts, dict):
        raise UserError('facts has to be a dict, for example {"calls_a_day": 15}.')
    charts = _charts(figure, in_words, figures or {})
    content: dict[str, Any] = {
        "project": project,
        "title": title.strip(),
        "data": "synthetic (Lakeshore Health)",
        "facts": plain(facts),
    }
    if charts:
        names = [f"{project}.png", *(f"{project}-{number}.png" for number in range(2, len(charts) + 1))]
        content["figures"] = [
            {"file": name, "title": caption, "in_words": words}
            for name, (caption, _, words) in zip(names, charts, strict=True)
        ]
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if len(text.encode("utf-8", "replace")) > JSON_BYTES:
        raise UserError("These facts are larger than 1 MB; keep the figures a reader needs, not the data behind them.")
    folder = Path.cwd() / FOLDER
    for number, (_, chart, _) in enumerate(charts):
        files.write(folder / content["figures"][number]["file"], png(chart))
    path = folder / f"{project}.json"
    files.write(path, text.encode("utf-8", "replace"))
    return path


def png(figure: Figure) -> bytes:
    """A figure as PNG without a date or a version in it: the same figure gives the same bytes."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    return picture.getvalue()


def plain(value: Any, where: str = "facts", depth: int = 0) -> Any:
    """`value` as JSON can hold it; numbers of NumPy and tables of pandas become plain ones.

    Raises UserError that names the place of what cannot be shown: NaN, infinity, an object of another kind, too deep a nest.
    """
    if depth > DEPTH:
        raise UserError(f"{where} lies {depth} levels deep; a reader follows two or three.")
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise UserError(
                f"{where} is {value}, which no page can show as a figure; leave it out or say why in words."
            )
        return value
    if isinstance(value, date):  # pandas' Timestamp and datetime are dates too; NaT is one that is none
        if value is pd.NaT:
            raise UserError(f"{where} is a date that is missing (NaT); leave it out or say why in words.")
        if isinstance(value, datetime) and value.time() == time():
            value = value.date()
        return value.isoformat()
    if isinstance(value, pd.DataFrame):
        return _table(value, where, depth)
    if isinstance(value, pd.Series):
        value = value.to_dict()
    if isinstance(value, np.ndarray):
        value = value.tolist()
        if not isinstance(value, list):
            return plain(value, where, depth)
    if isinstance(value, dict):
        return {_label(key, where): plain(inner, f"{where}[{key!r}]", depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) > TABLE_ROWS:
            raise UserError(f"{where} has {len(value)} entries; keep at most {TABLE_ROWS}, a summary reads better.")
        return [plain(inner, f"{where}[{number}]", depth + 1) for number, inner in enumerate(value)]
    raise UserError(f"{where} is a {type(value).__name__}; keep numbers, texts, lists, tables and dicts of these.")


def _table(frame: pd.DataFrame, where: str, depth: int) -> list[Any]:
    """Rows as dicts; an index that says something becomes the first column, and a missing value None."""
    if len(frame) > TABLE_ROWS:
        raise UserError(f"{where} has {len(frame)} rows; keep at most {TABLE_ROWS}, a summary reads better.")
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    columns = [" ".join(map(str, name)) if isinstance(name, tuple) else name for name in frame.columns]
    rows = zip(frame.to_numpy(dtype=object).tolist(), frame.isna().to_numpy().tolist(), strict=True)
    return [
        plain(
            {name: None if gone else cell for name, cell, gone in zip(columns, *row, strict=True)},
            f"{where}[{n}]",
            depth + 1,
        )
        for n, row in enumerate(rows)
    ]


def _label(key: Any, where: str) -> str:
    if isinstance(key, np.generic):
        key = key.item()
    if isinstance(key, (str, int, float, bool)):
        return str(key)
    raise UserError(f"{where} has the key {key!r}; a key has to be a text or a number, as it becomes a label.")


def _charts(
    figure: Figure | None, in_words: str, figures: dict[str, tuple[Figure, str]]
) -> list[tuple[str, Figure, str]]:
    """(caption, figure, words) of every figure; UserError for one without words."""
    charts = [] if figure is None else [(_title_of(figure), figure, in_words)]
    if figure is None and in_words:
        raise UserError("in_words describes a figure, and there is none: hand it over as `figure`.")
    for caption, pair in figures.items():
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise UserError('figures has to be {caption: (figure, words)}, for example {"Drift": (fig, "A line …")}.')
        charts.append((str(caption), *pair))
    if len(charts) > FIGURES:
        raise UserError(f"{len(charts)} figures; keep at most {FIGURES}, the ones a reader decides by.")
    for caption, chart, words in charts:
        if not isinstance(chart, Figure):
            raise UserError(f"The figure {caption!r} is a {type(chart).__name__}, not a matplotlib figure.")
        if not isinstance(words, str) or not words.strip():
            raise UserError(f"Say what the figure shows, for people who cannot see it: {_TELL}.")
    return [(caption.strip(), chart, words.strip()) for caption, chart, words in charts]


def _title_of(figure: Figure) -> str:
    """The message in a figure's own title, wherever on the axes it stands."""
    for axes in figure.axes if isinstance(figure, Figure) else []:
        for place in ("left", "center", "right"):
            if text := axes.get_title(loc=place):
                return str(text)
    return ""
