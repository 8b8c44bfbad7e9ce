"""The desk's colours: text keeps a contrast of 4.5 : 1, and what carries meaning 3 : 1, in the light and the dark theme."""

from __future__ import annotations

import re

import pytest

from carelab.desk import LABEXTENSION

CSS = (LABEXTENSION / "carelab-desk" / "static" / "style.css").read_text(encoding="utf-8")
TEXT = ("text", "muted", "accent", "good", "bad", "warn")
GROUNDS = ("ground", "card")


def theme(name: str) -> dict[str, str]:
    """The colours of a theme, as style.css gives them."""
    start = ".carelab-desk {" if name == "light" else "[data-jp-theme-light='false'] .carelab-desk {"
    block = CSS[CSS.index("\n" + start) if name == "light" and not CSS.startswith(start) else CSS.index(start) :]
    return dict(re.findall(r"--cl-([a-z-]+): (#[0-9a-f]{6});", block[: block.index("}")]))


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio of two colours."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", ["light", "dark"])
def test_text_can_be_read(name: str) -> None:
    colours = theme(name)
    pairs = [(text, ground) for text in TEXT for ground in GROUNDS] + [("on-accent", "accent")]
    poor = {pair: round(contrast(*(colours[part] for part in pair)), 2) for pair in pairs}
    assert not {pair: value for pair, value in poor.items() if value < 4.5}


@pytest.mark.parametrize("name", ["light", "dark"])
def test_edges_of_buttons_and_bars_can_be_seen(name: str) -> None:
    colours = theme(name)
    for pair in (("edge", "ground"), ("edge", "card"), ("accent", "empty")):
        assert contrast(*(colours[part] for part in pair)) >= 3, pair


def test_the_themes_have_the_same_colours_and_the_sheet_uses_no_other() -> None:
    assert theme("light").keys() == theme("dark").keys()
    rules = CSS[CSS.index("overflow: auto") :]
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", rules)


def test_a_pale_grey_would_be_caught() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#8c96a0", "#ffffff") < 4.5
