"""A learner's Markdown, for a page that other people open: formatting comes through, nothing live does.

HTML in it is shown as it was typed, pictures become words, links go to the web or to mail and nowhere else.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

import bleach  # type: ignore[import-untyped]
from markdown_it import MarkdownIt
from markdown_it.token import Token

from carelab.learner.portfolio.facts import clip

CHARACTERS = 20_000
KEY_LINE = 220  # characters
KEY_WORDS = 5  # at least, of a sentence that says something by itself

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)  # a notebook does not show them either
_SCHEME = re.compile(r"(https?|mailto):", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])[\"'”’)]*\s")
_TAGS = {"p", "strong", "em", "s", "code", "pre", "ul", "ol", "li", "blockquote", "br", "hr", "a"}
_TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}
_ATTRIBUTES = {"a": ["href", "rel"], "ol": ["start"], "p": ["class"], "th": ["scope"]}


def tidy(source: str) -> str:
    """A written answer without comments and control characters, cut where it is far too long for a portfolio."""
    return clip(_COMMENT.sub("", source), CHARACTERS).strip()


def parse(text: str) -> list[Token]:
    """The parts of a tidy text, in markdown-it's tokens; a text that trips the parser is one paragraph as typed."""
    try:
        return _parser().parse(text)
    except Exception:  # a parser of anything raises anything, and one answer must not cost the page
        inline = Token("inline", "", 0, content=text, children=[Token("text", "", 0, content=text)])
        return [Token("paragraph_open", "p", 1), inline, Token("paragraph_close", "p", -1)]


def html(text: str) -> str:
    """A tidy text as HTML that is safe to put on a page; headings become bold lines, so that the page's own stay in order."""
    tokens = parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag, token.attrs = "p", {"class": "lead"}
        if token.type == "th_open":
            token.attrs = {"scope": "col"}
        elif token.type == "td_open":
            token.attrs = {}
    parser = _parser()
    rendered = str(parser.renderer.render(tokens, parser.options, {}))
    clean = bleach.clean(rendered, tags=_TAGS, attributes=_ATTRIBUTES, protocols=["http", "https", "mailto"])
    return str(clean)


def key_line(text: str) -> str:
    """The first sentence of a tidy text that says something: what a reader takes away in a minute.

    No heading, no cell of a table, and no lead-in such as "Who gets what."; empty when there is no such sentence.
    """
    for before, token in itertools.pairwise(parse(text)):
        if token.type == "inline" and before.type == "paragraph_open":
            words = " ".join(words_of(token.children or []).split())
            for sentence in _SENTENCE.split(words):
                if len(sentence.split()) >= KEY_WORDS:
                    return clip(sentence, KEY_LINE)
    return ""


def words_of(children: Sequence[Token]) -> str:
    """The plain words of a line's parts."""
    found = []
    for child in children:
        if child.type == "image":
            found.append(picture_in_words(child))
        elif child.type in ("softbreak", "hardbreak"):
            found.append(" ")
        else:
            found.append(child.content)
    return "".join(found)


def picture_in_words(token: Token) -> str:
    """What stands in the place of a picture, which would come from elsewhere and tell its owner who reads the page."""
    return f"[picture: {token.content or 'without words'}]"


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.validateLink = lambda url: bool(_SCHEME.match(url.strip()))  # type: ignore[method-assign]
    parser.add_render_rule("image", _image)
    parser.add_render_rule("link_open", _link)
    return parser


def _image(_self: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    return escape(picture_in_words(tokens[index]))


def _link(_self: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    return f'<a href="{escape(str(tokens[index].attrGet("href")))}" rel="noopener noreferrer nofollow">'
