"""The portfolio as PDF, without a browser: the same content in the same order as the page.

The typeface is DejaVu Sans, which comes with matplotlib and is embedded. It has Latin, Greek, Cyrillic, Hebrew and Arabic
letters; a sign it lacks (Chinese, Japanese, Korean, most emoji) is shown as □, and the last line of the document says so.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from fpdf import FPDF, XPos, YPos
from fpdf.bidi import BidiParagraph
from fpdf.enums import TableBordersLayout, WrapMode
from fpdf.fonts import FontFace
from fpdf.prefs import ViewerPreferences
from markdown_it.token import Token

from carelab.learner import artefacts
from carelab.learner.portfolio import facts, writing
from carelab.learner.portfolio.content import FOOTER, Entry, Figure, Portfolio

INK, SOFT, LINE, PALE, BLUE = (29, 39, 51), (77, 90, 104), (190, 199, 207), (242, 245, 248), (0, 89, 140)
MARGIN, TOP, BOTTOM = 20.0, 20.0, 20.0  # mm
SANS, MONO = "dejavu", "dejavumono"
BODY, SMALL, HEAD, TITLE = 10.0, 8.5, 17.0, 25.0  # points
LEADING = 1.45
SCALE = 0.71  # of a figure, so that its letters are as small as a caption's, and the same in every figure
TALLEST = 130.0  # mm
PAGES = "{number of pages}"  # what fpdf2 replaces when all pages are there
GONE = "□"
NOTE = (
    "Signs that the typeface of this document lacks are shown as □, and right-to-left scripts are set without joining their "
    "letters. The page portfolio.html shows both as they were written."
)


def render(portfolio: Portfolio) -> bytes:
    """The document's bytes: the same for the same content, as its date is that of the content."""
    pdf = _Document(portfolio)
    _first_page(pdf, portfolio)
    pdf.heading("Skills", "Skills", size=14, room=28 + pdf.height_of(portfolio.skills, 0.8))
    pdf.figure(portfolio.skills, 0.8)
    for entry in portfolio.entries:
        _entry(pdf, entry)
    if pdf.lacking:
        pdf.ln(4)
        pdf.paragraph(NOTE, SMALL, SOFT)
    return bytes(pdf.output())


def _first_page(pdf: _Document, portfolio: Portfolio) -> None:
    pdf.add_page()
    pdf.line_of(portfolio.title, BODY, BLUE, "B")
    pdf.line_of(portfolio.heading, TITLE, INK, "B", leading=1.25, role="/H1")
    pdf.line_of(f"{portfolio.track} · {portfolio.day} · {FOOTER}", SMALL, SOFT)
    pdf.rule(1.2, BLUE)
    pdf.heading("In one minute", "In one minute", size=14)
    rows = [
        (f"{entry.project.title}\n{entry.project.artefact}", entry.key_line, entry.in_short)
        for entry in portfolio.entries
    ]
    pdf.places = {entry.project.id: pdf.add_link() for entry in portfolio.entries}
    targets = [pdf.places[entry.project.id] for entry in portfolio.entries]
    pdf.grid(("Project", "The point", "Verified"), rows, widths=(35, 47, 18), targets=targets)
    if portfolio.not_done:
        pdf.paragraph(portfolio.not_done, SMALL, SOFT)
    pdf.heading("How to read this", "How to read this", size=14, room=56)
    pdf.paragraph(portfolio.statement)


def _entry(pdf: _Document, entry: Entry) -> None:
    pdf.next_page()
    pdf.set_link(pdf.places[entry.project.id])
    pdf.line_of(f"{entry.project.id} · {entry.weeks} · {entry.project.artefact}", SMALL, BLUE, "B")
    pdf.heading(entry.project.title, f"{entry.project.id} {entry.project.title}", gap=0)
    pdf.paragraph(f"{entry.title}. {entry.project.text}", BODY, SOFT)
    if entry.decision:
        pdf.subheading(f"In the learner's own words: {entry.decision.heading}")
        pdf.words(entry.decision.text)
    if entry.figures or entry.blocks:
        pdf.subheading("Figures and results", room=16 + pdf.height_of(entry.figures[0]) if entry.figures else 25)
        if entry.warning:
            pdf.runs([(entry.warning, "B", "")])
            pdf.ln(2)
    for figure in entry.figures:
        pdf.figure(figure)
    waiting: list[facts.Table] = []  # small tables, which stand two beside each other
    for block in entry.blocks:
        if isinstance(block, facts.Table) and block.small:
            waiting.append(block)
        if waiting and (len(waiting) == 2 or waiting[-1] is not block):
            _small_tables(pdf, waiting)
            waiting = []
        if not (isinstance(block, facts.Table) and block.small):
            _block(pdf, block)
    _small_tables(pdf, waiting)
    for answer in entry.further:
        pdf.subheading(f"In the learner's own words: {answer.heading}")
        pdf.words(answer.text)
    pdf.verification("How this was verified", entry.verified)


def _small_tables(pdf: _Document, tables: Sequence[facts.Table]) -> None:
    """One or two tables of a few figures each, beside each other on one page."""
    if not tables:
        return
    pdf.room(16 + 6 * max(len(table.rows) for table in tables))
    page, top, bottom = pdf.page, pdf.y, pdf.y
    for place, table in enumerate(tables):
        pdf.set_y(top)
        with pdf.indented(place * (pdf.w / 2 - MARGIN), pdf.w / 2 + 3 if place == 0 and tables[1:] else 0):
            _block(pdf, table)
        bottom = max(bottom, pdf.y) if pdf.page == page else pdf.y
    pdf.set_y(bottom)


def _block(pdf: _Document, block: facts.Block) -> None:
    if isinstance(block, facts.Group):
        pdf.minor(block.label)
    elif isinstance(block, facts.Text):
        pdf.runs([(f"{block.label}: ", "B", ""), (block.text, "", "")])
        pdf.ln(2)
    elif isinstance(block, facts.Entries):
        pdf.minor(block.label)
        for entry in block.entries:
            pdf.item("•", [(entry, "", "")])
        pdf.ln(2)
    else:
        if block.caption:
            pdf.minor(block.caption)
        pdf.grid(block.header, block.rows, right=block.right)
        if block.left_out:
            pdf.paragraph(block.left_out, SMALL, SOFT)


Run = tuple[str, str, str]  # text, style (B, I, M for code, S for struck through), address


class _Document(FPDF):
    """A4 pages with the course's type, and the few things a portfolio is made of."""

    def __init__(self, portfolio: Portfolio) -> None:
        super().__init__(format="A4")
        self.lacking = False  # whether a sign could not be shown as it was written
        # fontTools reports what it does; a learner has not asked for it.
        logging.getLogger("fontTools").setLevel(logging.ERROR)
        self.running = ""
        self.role = "/P"  # what the next lines are, for whoever listens to the document
        self.alias_nb_pages(PAGES)
        self.set_margins(MARGIN, TOP, MARGIN)
        self.set_auto_page_break(True, BOTTOM)
        self.c_margin = 0
        fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
        styles = {"": "", "B": "-Bold", "I": "-Oblique", "BI": "-BoldOblique"}
        for style, name in styles.items():
            self.add_font(SANS, style, fonts / f"DejaVuSans{name}.ttf")
        self.add_font(MONO, "", fonts / "DejaVuSansMono.ttf")
        self.set_title(f"{portfolio.heading}: {portfolio.title}")
        self.set_author(portfolio.name or "the learner")
        self.set_subject(FOOTER)
        self.set_lang("en")
        self.set_creator("carelab")
        self.set_creation_date(portfolio.made)
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.places: dict[str, int] = {}  # project, and the link to its page
        self.running = self.fit(f"{portfolio.heading} · {portfolio.day}")[:110]
        self.set_font(SANS, size=BODY)

    # ------------------------------------------------------------ text

    def fit(self, text: str, family: str = SANS, style: str = "") -> str:
        """`text` with signs the typeface has; right-to-left letters in the order in which they are read on paper."""
        known = self.fonts[f"{family}{style}"].cmap  # type: ignore[union-attr]
        signs = [sign if ord(sign) in known or sign in "\n\t" else GONE for sign in text if not _joins(sign)]
        fitted = "".join(signs).replace("\t", "    ")
        if any("\u0590" <= sign <= "\u08ff" or "\ufb1d" <= sign <= "\ufefc" for sign in fitted):
            fitted = "\n".join(
                BidiParagraph(line).get_reordered_string() if line else "" for line in fitted.split("\n")
            )
            self.lacking = True
        self.lacking = self.lacking or GONE in signs
        return fitted

    def runs(self, runs: Sequence[Run], size: float = BODY, ink: Sequence[int] = INK) -> None:
        """A paragraph of runs in different styles, from the left margin to the right one."""
        self.set_text_color(*ink)
        height = size * 0.3528 * LEADING
        if sum(len(text) for text, _, _ in runs) > 120:
            self.room(2.5 * height)  # not one line alone at the foot of a page
        for text, style, address in runs:
            family = MONO if "M" in style else SANS
            face = "" if family == MONO else "".join(sorted(set(style) & set("BI")))
            self.set_font(family, face + ("S" if "S" in style else "") + ("U" if address else ""), size)
            self.write(height, self.fit(text, family, face), link=address)
        self.ln(height)
        self.set_font(SANS, size=BODY)
        self.set_text_color(*INK)

    def paragraph(self, text: str, size: float = BODY, ink: Sequence[int] = INK) -> None:
        """One paragraph in one style."""
        self.runs([(text, "", "")], size, ink)
        self.ln(1.8)

    def line_of(
        self,
        text: str,
        size: float,
        ink: Sequence[int],
        style: str = "",
        leading: float = LEADING,
        role: str = "/P",
    ) -> None:
        """A line that stands alone, wrapped when it is long."""
        self.role = role
        self.set_text_color(*ink)
        self.set_font(SANS, style, size)
        self.multi_cell(
            0, size * 0.3528 * leading, self.fit(text, SANS, style), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )
        self.role = "/P"
        self.set_font(SANS, size=BODY)
        self.set_text_color(*INK)

    def heading(self, text: str, outline: str, size: float = HEAD, gap: float = 5, room: float = 30) -> None:
        """A heading that is in the document's outline, and never the last thing on a page."""
        self.room(room)
        self.ln(gap)
        self.start_section(self.fit(outline))
        self.line_of(text, size, INK, "B", leading=1.3, role="/H2")
        self.ln(1.2)

    def subheading(self, text: str, room: float = 25) -> None:
        """A heading inside a project."""
        self.room(room)
        self.ln(3)
        self.start_section(self.fit(text), level=1)
        self.line_of(text, 11.5, BLUE, "B", role="/H3")
        self.ln(0.8)

    def minor(self, text: str) -> None:
        """The label of a table or a list."""
        self.room(22)
        self.ln(1.5)
        self.line_of(text, BODY, INK, "B", role="/H4")
        self.ln(0.4)

    def room(self, height: float) -> None:
        """Go on on the next page unless `height` mm are left on this one."""
        if self.y + height > self.page_break_trigger:
            self.next_page()

    def next_page(self) -> None:
        """A new page, unless this one is still empty."""
        if self.y > TOP + 0.1:
            self.add_page()

    def rule(self, width: float, ink: Sequence[int]) -> None:
        """A line across the page."""
        self.ln(2)
        with self.local_context(fill_color=ink):
            self.rect(self.l_margin, self.y, self.epw, width, style="F")
        self.ln(width)

    # ------------------------------------------------------------ what a learner wrote

    def words(self, text: str) -> None:
        """A written answer, with a bar on its left on every page it runs over."""
        first, top = self.page, self.y
        with self.indented(6):
            self._markdown(writing.parse(text))
        last, bottom = self.page, self.y - 1.8
        for page in range(first, last + 1):
            start = top if page == first else TOP
            end = bottom if page == last else self.page_break_trigger
            if end > start:
                self.page = page
                with self.local_context(fill_color=BLUE):
                    self.rect(MARGIN, start, 1.1, end - start, style="F")
        self.page = last

    @contextmanager
    def indented(self, by: float, right: float = 0) -> Iterator[None]:
        """Move the left margin, but never beyond the middle of the page; and the right one, where `right` is given."""
        left, before = self.l_margin, self.r_margin
        self.set_left_margin(min(left + by, self.w / 2))
        self.set_right_margin(right or before)
        self.set_x(self.l_margin)
        yield
        self.set_left_margin(left)
        self.set_right_margin(before)
        self.set_x(left)

    def item(self, mark: str, runs: Sequence[Run]) -> None:
        """An entry of a list: its mark, and its text beside it."""
        self.room(8)
        self.cell(5, BODY * 0.3528 * LEADING, self.fit(mark))
        with self.indented(6):
            self.runs(runs)

    def _markdown(self, tokens: Sequence[Token]) -> None:
        lists: list[tuple[str, int]] = []  # kind and next number
        mark, rows, margins = "", list[list[str]](), [self.l_margin]
        for number, token in enumerate(tokens):
            kind = token.type
            if kind in ("bullet_list_open", "ordered_list_open"):
                lists.append((kind, int(token.attrGet("start") or 1)))
                if len(lists) > 1:
                    self._margin(margins, 6)
            elif kind in ("bullet_list_close", "ordered_list_close"):
                lists.pop()
                if lists:
                    self._margin(margins, 0)
                else:
                    self.ln(1.5)
            elif kind == "list_item_open":
                list_kind, place = lists[-1]
                mark = f"{min(place, 9999)}." if list_kind == "ordered_list_open" else "•"
                lists[-1] = (list_kind, place + 1)
            elif kind == "blockquote_open":
                self._margin(margins, 6)
            elif kind == "blockquote_close":
                self._margin(margins, 0)
            elif kind == "table_open":
                rows = []
            elif kind == "tr_open":
                rows.append([])
            elif kind == "table_close" and rows:
                self.grid(tuple(rows[0]), [tuple(row) for row in rows[1:]])
            elif kind in ("fence", "code_block"):
                for line in token.content.rstrip("\n").split("\n"):
                    self.runs([(line or " ", "M", "")], SMALL)
                self.ln(1.8)
            elif kind == "hr":
                self.rule(0.2, LINE)
                self.ln(2)
            elif kind == "inline":
                before = tokens[number - 1].type
                if before in ("th_open", "td_open"):
                    rows[-1].append(writing.words_of(token.children or []))
                    continue
                runs = _runs(token.children or [], "B" if before == "heading_open" else "")
                if mark:
                    self.item(mark, runs)
                    mark = ""
                elif lists:
                    with self.indented(6):
                        self.runs(runs)
                else:
                    self.runs(runs)
                    self.ln(1.8)

    def _margin(self, margins: list[float], by: float) -> None:
        """Indent by `by` mm, or go back to the margin before when it is 0."""
        if by:
            margins.append(self.l_margin)
            self.set_left_margin(min(self.l_margin + by, self.w / 2))
        else:
            self.set_left_margin(margins.pop() if len(margins) > 1 else margins[0])
        self.set_x(self.l_margin)

    # ------------------------------------------------------------ tables and figures

    def grid(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        right: Sequence[bool] = (),
        widths: Sequence[float] = (),
        targets: Sequence[int] = (),
    ) -> None:
        """A table: as wide as it needs to be, its heading again on every page it runs over."""
        count = max([len(header), *map(len, rows)], default=0)
        if not count:
            return
        size = SMALL if count > 3 or not widths else 9.0
        size = 7.0 if count > 6 else size
        cells = [
            [self.fit(cell) for cell in [*row, *[""] * (count - len(row))][:count]]
            for row in [*([header] if header else []), *rows]
        ]
        available = self.w - self.r_margin - self.l_margin
        self.set_font(SANS, "B", size)
        shares = list(widths) or self._widths(cells, available)
        self.set_font(SANS, "", size)
        total = available if widths else min(available, sum(shares))
        aligns = tuple("RIGHT" if place < len(right) and right[place] else "LEFT" for place in range(count))
        self.set_draw_color(*LINE)
        self.set_line_width(0.2)
        before = self.x
        self.set_x(self.l_margin)
        with self.table(
            width=total,
            col_widths=tuple(shares),
            align="LEFT",
            text_align=aligns,
            v_align="TOP",
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            first_row_as_headings=bool(header),
            headings_style=FontFace(emphasis="BOLD", color=INK),
            line_height=size * 0.3528 * 1.35,
            padding=(1.0, 2.5, 1.0, 0),
            wrapmode=WrapMode.WORD,
        ) as table:
            for number, row in enumerate(cells):
                drawn = table.row()
                body = number - bool(header)
                for place, cell in enumerate(row):
                    link = targets[body] if targets and body >= 0 and place == 0 else None
                    drawn.cell(cell, link=link)
        self.set_x(before)
        self.set_font(SANS, size=BODY)
        self.ln(2.5)

    def _widths(self, cells: Sequence[Sequence[str]], available: float) -> list[float]:
        """Millimetres for each column: its longest line, less where the page is too narrow for all, never under a word."""
        wanted, least = [], []
        for column in zip(*cells, strict=True):
            lines = [line for cell in column for line in cell.split("\n")]
            wanted.append(max(self.get_string_width(line[:400]) for line in lines) + 4)
            longest = max((self.get_string_width(word[:60]) for line in lines for word in line.split()), default=0)
            least.append(min(longest + 4, available / len(cells[0])))
        if sum(wanted) <= available:
            return wanted
        spare = available - sum(least)
        asked = sum(max(w - m, 0) for w, m in zip(wanted, least, strict=True)) or 1
        return [m + max(w - m, 0) * max(spare, 0) / asked for w, m in zip(wanted, least, strict=True)]

    def height_of(self, figure: Figure, scale: float = SCALE) -> float:
        """Millimetres that a picture takes: its size as it was drawn, times `scale`, but no wider than the text."""
        width = min(self.epw, figure.picture.width / artefacts.DPI * 25.4 * scale)
        return min(TALLEST, width * figure.picture.height / figure.picture.width)

    def figure(self, figure: Figure, scale: float = SCALE) -> None:
        """A picture with its caption on the same page, in the size that `height_of` says."""
        height = self.height_of(figure, scale)
        width = height * figure.picture.width / figure.picture.height
        self.room(height + 12)
        self.ln(1)
        words = figure.in_words
        self.image(io.BytesIO(figure.picture.png), x=MARGIN, w=width, h=height, alt_text=words, title=words)
        self.ln(1)
        self.paragraph(figure.caption, SMALL, SOFT)

    def verification(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """The box that says what was checked, whole on one page."""
        height = BODY * 0.3528 * LEADING
        self.set_font(SANS, "", 9)
        texts = [(self.fit(label, SANS, "B"), self.fit(words)) for label, words in rows]
        label_width = 44.0
        column = self.epw - label_width - 8
        heights = []
        for label, words in texts:
            tall = self.multi_cell(column, height, words, dry_run=True, output="HEIGHT", align="L")
            beside = self.multi_cell(label_width - 3, height, label, dry_run=True, output="HEIGHT", align="L")
            heights.append(max(float(tall), float(beside)) + 0.8)  # type: ignore[arg-type]  # a height, as asked for
        whole = sum(heights) + 13.5
        self.ln(4)
        boxed = whole < self.eph
        if boxed:
            self.room(whole + 2)
            with self.local_context(fill_color=PALE):
                self.rect(MARGIN, self.y, self.epw, whole, style="F")
        self.set_y(self.y + 3)
        self.start_section(title, level=1)
        self.set_x(MARGIN + 4)
        self.set_text_color(*BLUE)
        self.set_font(SANS, "B", 11.5)
        self.role = "/H3"
        self.cell(0, 6, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.role = "/P"
        self.ln(1)
        self.set_text_color(*INK)
        for (label, words), tall in zip(texts, heights, strict=True):
            self.room(min(tall, self.eph - 10))
            top = self.y
            self.set_x(MARGIN + 4)
            self.set_font(SANS, "B", 9)
            self.multi_cell(label_width - 3, height, label, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            self.set_xy(MARGIN + 4 + label_width, top)
            self.set_font(SANS, "", 9)
            self.multi_cell(column, height, words, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            self.set_y(max(self.y, top + tall))
        self.set_font(SANS, size=BODY)

    # ------------------------------------------------------------ every page

    def header(self) -> None:
        """Whose portfolio it is, on every page but the first."""
        if self.page > 1:
            self.set_xy(MARGIN, 10)
            self._small(self.running, 0)
            self.set_xy(MARGIN, TOP)

    def footer(self) -> None:
        """What the data are, and the page's number."""
        self.set_xy(MARGIN, self.h - 13)
        self._small(FOOTER, 120)
        self.set_x(self.w - MARGIN - 17)
        self._small(f"Page {self.page} of {PAGES}", 0)

    # Alternative texts make a tagged document, and in one of these a screen reader goes by the tags alone. fpdf2 tags
    # pictures only; so each line of text gets its tag here, and what stands on every page gets none.

    def _render_styled_text_line(self, text_line: Any, h: float | None = None, *args: Any, **kwargs: Any) -> bool:
        if not self.role:
            return super()._render_styled_text_line(text_line, h, *args, **kwargs)
        broken = self._perform_page_break_if_need_be(self.font_size if h is None else h)  # not inside of a tag
        mark = self.struct_builder.next_mcid_for_page(self.page)
        self._add_marked_content(struct_type=self.role, mcid=mark)
        self._out(f"/Span <</MCID {mark}>> BDC")
        super()._render_styled_text_line(text_line, h, *args, **kwargs)
        self._out("EMC")
        return broken

    @contextmanager
    def _disable_writing(self) -> Iterator[None]:
        """What is only measured is not tagged."""
        with self._untagged(), super()._disable_writing():
            yield

    @contextmanager
    def _untagged(self) -> Iterator[None]:
        role, self.role = self.role, ""
        try:
            yield
        finally:
            self.role = role

    def _small(self, text: str, width: float) -> None:
        self.set_font(SANS, "", 8)
        self.set_text_color(*SOFT)
        with self._untagged():
            self._out("/Artifact BMC")
            self.cell(width, 4, text)
            self._out("EMC")


def _joins(sign: str) -> bool:
    """Whether a sign has no shape of its own: variation selectors and what joins or directs its neighbours."""
    return (
        "\ufe00" <= sign <= "\ufe0f"
        or "\u200b" <= sign <= "\u200f"
        or "\u202a" <= sign <= "\u202e"
        or ("\u2060" <= sign <= "\u2069")
    )


def _runs(children: Sequence[Token], base: str) -> list[Run]:
    """A line's parts as runs: each text with the styles that are open around it."""
    found: list[Run] = []
    styles: list[str] = [base] if base else []
    address = ""
    opened = {"strong_open": "B", "em_open": "I", "s_open": "S"}
    for child in children:
        if child.type in opened:
            styles.append(opened[child.type])
        elif child.type in ("strong_close", "em_close", "s_close"):
            styles.remove({"strong_close": "B", "em_close": "I", "s_close": "S"}[child.type])
        elif child.type == "link_open":
            address = str(child.attrGet("href") or "")
        elif child.type == "link_close":
            address = ""
        elif child.type == "code_inline":
            found.append((child.content, "M", address))
        elif child.type == "image":
            found.append((writing.picture_in_words(child), "", address))
        elif child.type in ("softbreak", "hardbreak"):
            found.append((" " if child.type == "softbreak" else "\n", "".join(styles), address))
        elif child.content:
            found.append((child.content, "".join(styles), address))
    return found
