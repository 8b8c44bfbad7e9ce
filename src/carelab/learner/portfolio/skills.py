"""The fifteen skills in one picture: how much of each was verified."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

from carelab import plots
from carelab.learner.artefacts import png
from carelab.learner.progress import SkillProgress

# The light end of each bar: what there is to verify.
_REST = "#E3E8EC"


def picture(skills: Sequence[SkillProgress]) -> bytes:
    """A bar for each skill, as long as its verified share, with the counts beside it; as PNG."""
    with mpl.rc_context(plots.STYLE):  # type: ignore[arg-type]  # its stubs want literal keys
        figure = Figure(figsize=(8.2, 0.3 * len(skills) + 0.35), layout="constrained")
        axes = figure.add_subplot()
        for place, progress in enumerate(reversed(skills)):
            if progress.checks:
                axes.barh(place, 1, color=_REST, height=0.62)
                axes.barh(place, progress.share, color=plots.BLUE, height=0.62)
            counts = f"{progress.passed} of {progress.checks}" if progress.checks else "not in the course yet"
            axes.text(1.02, place, counts, va="center", fontsize=10, color="black" if progress.checks else plots.GREY)
        names = [progress.skill.title for progress in reversed(skills)]
        axes.set_yticks(range(len(names)), names, fontsize=10)
        axes.set(xlim=(0, 1.34), ylim=(-0.6, len(names) - 0.4), xticks=[])
        axes.grid(False)
        axes.tick_params(length=0)
        for side in ("bottom", "left"):
            axes.spines[side].set_visible(False)
        return png(figure)


def in_words(skills: Sequence[SkillProgress]) -> str:
    """The picture for people who cannot see it."""
    counted = [f"{s.skill.title} {s.passed} of {s.checks}" for s in skills if s.checks]
    waiting = len(skills) - len(counted)
    words = f"Verified exercises and gates by skill: {', '.join(counted) or 'none yet'}."
    return f"{words} {waiting} skills are not in the course yet." if waiting else words
