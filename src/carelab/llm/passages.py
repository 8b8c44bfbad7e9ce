"""Policies to passages: Markdown with front matter, cut at its headings, each piece with what a filter and a citation need.

The front matter says who may read a document and when it is in force, so a document that does not say it is refused:
one without roles would be visible to nobody, or, with a careless filter, to everybody.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from langchain_core.documents import Document
from langchain_text_splitters import MarkdownHeaderTextSplitter, RecursiveCharacterTextSplitter

from carelab import paths
from carelab.errors import UserError

NO_END = 99991231  # `to_day` of a document that has no last day
MAX_CHARACTERS = 1000  # about 250 tokens: a longer passage would be cut by the embedding model
OVERLAP = 100  # characters that two parts of one long section share
_FRONT = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
_NUMBER = re.compile(r"(?:[A-Z]?\d+|[A-Z])(?:\.\d+)*(?=\.?\s)")  # 3.1, B.2, C1, A
_LEVELS = [("#", "level_1"), ("##", "level_2"), ("###", "level_3")]


def read_documents(folder: Path | str | None = None) -> list[Document]:
    """The documents of a folder, one LangChain Document a Markdown file below it, by id.

    folder: the world's policies where not given. Each file starts with YAML front matter: id, status, effective_from
    and roles (a list); kind, title, payer, version and effective_to where there are. A table `index.csv` beside them is
    optional: it gives payer and service their short names, and has to agree with the files.

    Metadata: document_id, title, kind, payer, payer_name, service, version, status, roles (list), file, effective_from
    and effective_to (ISO dates, the last day in force included; empty while it lasts), and the same two as whole
    numbers that a filter can compare, from_day and to_day (20250701). Raises UserError for a document that is not fit
    to be searched: no front matter, no roles, a date that is none, an id used twice, a table that says otherwise.
    """
    root = paths.DATA / "documents" if folder is None else Path(folder)
    files = sorted(root.rglob("*.md")) if root.is_dir() else []
    if not files:
        raise UserError(f"There is no Markdown file below {root}; name the folder that holds the documents.")
    if folder is None:
        for path in (*files, root / "index.csv"):
            paths.data(path.relative_to(paths.DATA).as_posix())
    found: dict[str, Document] = {}
    for path in files:
        document = _document(path, path.relative_to(root).as_posix())
        name = document.metadata["document_id"]
        if name in found:
            raise UserError(f"Two documents are called {name}: {found[name].metadata['file']} and {path.name}.")
        found[name] = document
    if (root / "index.csv").is_file():
        _join(found, root / "index.csv")
    return [found[name] for name in sorted(found)]


def split_passages(
    documents: Iterable[Document], max_characters: int = MAX_CHARACTERS, overlap: int = OVERLAP, head: bool = True
) -> list[Document]:
    """Passages of documents: one a section, and of a section longer than max_characters several that overlap.

    head: begin the text with payer, title and heading, without which "30 days" says nothing. On the course's questions
    this does more than any search method: with all filters on, vector search finds 57 % of the answers among its first 5
    in bare texts, 89 % with title and heading, 97 % with the payer's name as well.

    Metadata is the document's, with section (its number, or its heading in small letters where it has none), heading,
    source (`document#section`, which is what a citation names) and passage_id: the source, with `/2`, `/3` for further
    parts of a long section. The ids depend on the document alone, so they stay when others come or go.
    """
    by_heading = MarkdownHeaderTextSplitter(_LEVELS)
    by_length = RecursiveCharacterTextSplitter(chunk_size=max_characters, chunk_overlap=overlap)
    passages = []
    for document in documents:
        seen: dict[str, int] = {}
        for piece in by_heading.split_text(document.page_content):
            path = [piece.metadata[level] for _, level in _LEVELS if level in piece.metadata]
            heading = path[-1] if len(path) > 1 else ""
            section = _section(heading)
            seen[section] = seen.get(section, 0) + 1
            if seen[section] > 1:
                section = f"{section}-{seen[section]}"
            source = f"{document.metadata['document_id']}#{section}"
            named = (document.metadata["payer_name"], document.metadata["title"], heading)
            start = "\n".join(part for part in named if part) + "\n\n" if head else ""
            for number, text in enumerate(by_length.split_text(piece.page_content), start=1):
                name = source if number == 1 else f"{source}/{number}"
                metadata = document.metadata | {
                    "section": section, "heading": heading, "source": source, "passage_id": name,
                }  # fmt: skip
                passages.append(Document(f"{start}{text}", id=name, metadata=metadata))
    return passages


def day_number(day: date) -> int:
    """A day as a whole number that compares as the day does: 20250701."""
    return day.year * 10000 + day.month * 100 + day.day


_WORDS = re.compile(r"[^\W_]+(?:[.,:/'-][^\W_]+)*|[^\w\s]")
_ALIKE = str.maketrans({"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "‑": "-"})


def quoted(passage: Document | str, text: str) -> bool:
    """Whether the words of a quotation stand in a passage, one after the other, whole words only.

    Case, white space, and the kind of quotation mark or dash do not count, nor do marks around the quotation. That the
    words stand there does not mean that they support the sentence they are quoted for. Nothing quoted is not a quotation.
    """
    content = passage if isinstance(passage, str) else passage.page_content
    needle, held = _tokens(text.strip().strip("\"'“”‘’„‚…. ")), _tokens(content)
    size = len(needle)
    return bool(re.search(r"\w", text)) and any(
        held[i : i + size] == needle for i in range(len(held) - size + 1) if held[i] == needle[0]
    )


def _tokens(text: str) -> list[str]:
    """Words and marks, in small letters, quotation marks left out."""
    return [word for word in _WORDS.findall(text.translate(_ALIKE).casefold()) if word not in ("'", '"')]


def _section(heading: str) -> str:
    """What a heading is cited by."""
    if not heading:
        return "0"
    if number := _NUMBER.match(heading):
        return number.group()
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") or "0"


def _document(path: Path, file: str) -> Document:
    """A file as a document."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The document {file} cannot be read; save it as UTF-8 text.") from error
    parts = _FRONT.match(text)
    if not parts:
        raise UserError(f"The document {file} has no front matter between two lines of three dashes; add id, status,"
                        " effective_from and roles.")  # fmt: skip
    try:
        front = yaml.safe_load(parts.group(1))
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"The front matter of {file} is not YAML; compare it with another document's.") from error
    if not isinstance(front, dict):
        raise UserError(f"The front matter of {file} is not a list of `key: value` lines.")
    for key in ("id", "status", "effective_from"):
        if not front.get(key):
            raise UserError(f"The front matter of {file} has no {key}; add it.")
    roles = front.get("roles")
    if not (isinstance(roles, list) and roles and all(isinstance(role, str) and role.strip() for role in roles)):
        raise UserError(f"The document {file} names no roles, so nobody may read it; add `roles: [nurse, …]`.")
    start, end = _day(front["effective_from"], file), _day(front.get("effective_to") or None, file)
    if end and start and end < start:
        raise UserError(f"The document {file} ends on {end}, before it starts on {start}; mend its front matter.")
    body = parts.group(2).strip()
    metadata = {
        "document_id": str(front["id"]), "title": str(front.get("title") or front["id"]),
        "kind": str(front.get("kind") or ""), "payer": str(front.get("payer") or ""),
        "payer_name": str(front.get("payer") or ""), "service": str(front.get("service") or ""),
        "version": str(front.get("version") or ""), "status": str(front["status"]), "roles": list(roles),
        "effective_from": str(start), "effective_to": str(end or ""),
        "from_day": day_number(start) if start else 0, "to_day": day_number(end) if end else NO_END, "file": file,
    }  # fmt: skip
    return Document(body, id=metadata["document_id"], metadata=metadata)


def _day(value: Any, file: str) -> date | None:
    """A day of the front matter; YAML has read it as one already where it is well written."""
    if value is None or type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise UserError(f"The document {file} has the date {value!r}; write it as 2025-07-01.") from error


def _join(found: Mapping[str, Document], table: Path) -> None:
    """Take payer and service from the table, and refuse it where it and a file disagree on who may read what, and when."""
    listed = {}
    for row in _rows(table):
        name = row.get("document_id") or ""
        if name not in found:
            raise UserError(f"index.csv lists {name or 'a row without document_id'}, of which there is no file.")
        metadata = listed[name] = found[name].metadata
        held = metadata | {"roles": " ".join(metadata["roles"])}
        for key in ("kind", "version", "status", "effective_from", "effective_to", "roles"):
            if key in row and row[key] != held[key]:
                raise UserError(f"index.csv says that {key} of {name} is {row[key] or 'empty'}; its file says"
                                f" {held[key] or 'nothing'}. Make them agree.")  # fmt: skip
        metadata["payer"], metadata["service"] = row.get("payer") or metadata["payer"], row.get("service") or ""
    if missing := sorted(set(found) - set(listed)):
        raise UserError(f"The document {missing[0]} is not in index.csv; add it, or remove the table.")


def _rows(table: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"The table {table.name} cannot be read; save it as CSV in UTF-8.") from error
