"""The figures' colours: every one can be told from the page."""

import matplotlib.colors
import pytest

from carelab import plots

COLOURS = ("BLUE", "ORANGE", "GREEN", "RED", "PURPLE", "GREY")


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21, by the formula of WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in matplotlib.colors.to_rgb(colour)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_gives_the_known_values():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#56B4E9", "#ffffff") < 3, "a palette for paper that this course does not use would fail"


@pytest.mark.parametrize("name", COLOURS)
def test_a_line_or_bar_stands_out_from_the_page(name):
    assert contrast(getattr(plots, name), "#ffffff") >= 3  # WCAG 2.2, 1.4.11: graphical objects


def test_all_colours_of_the_cycle_are_tested():
    cycle = plots.STYLE["axes.prop_cycle"].by_key()["color"]
    assert sorted(cycle) == sorted(getattr(plots, name) for name in COLOURS)
