"""One look for all figures: colours that survive colour blindness and print, text large enough to read on a projector."""

from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes

# The hues of Okabe & Ito (2008), "Color Universal Design", told apart with every common form of colour blindness;
# orange, red and purple are darker than theirs, so that a thin line or a word has a contrast of 3:1 and more on white.
BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072B2", "#B87500", "#008A64", "#B84A00", "#A8578A", "#5E5E5E"

STYLE: dict[str, Any] = {
    "figure.figsize": (7.0, 3.8),
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E3E3E3",
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, RED, PURPLE, GREY]),
    "legend.frameon": False,
    "lines.linewidth": 2.0,
}


def use_style() -> None:
    """Make every figure of this notebook look like the course's."""
    mpl.rcParams.update(STYLE)  # type: ignore[arg-type]  # its stubs want literal keys


def label(axes: Axes, title: str, x: str, y: str) -> Axes:
    """Put a message in the title and a quantity with its unit on each axis."""
    axes.set(title=title, xlabel=x, ylabel=y)
    return axes


use_style()
