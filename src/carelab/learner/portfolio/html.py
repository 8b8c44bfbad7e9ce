"""The portfolio as one HTML page: styles and pictures inside, no script, no request to anybody."""

from __future__ import annotations

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from carelab.learner.portfolio.content import FOOTER, Portfolio
from carelab.learner.portfolio.writing import html as safe_html

HERE = Path(__file__).parent


def render(portfolio: Portfolio) -> str:
    """The page as text. Everything a learner wrote is escaped, but for the plain formatting of their Markdown."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    environment.filters["markdown"] = lambda text: Markup(safe_html(text))
    css = Markup((HERE / "page.css").read_text(encoding="utf-8"))  # ours alone
    return environment.get_template("page.html").render(portfolio=portfolio, css=css, footer=FOOTER).lstrip()
