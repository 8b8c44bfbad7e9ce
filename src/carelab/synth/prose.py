"""Text composed from varied parts, with the exact place of everything that was filled in.

A template is a sentence with a little notation:

    [a|b|c]     one of these, nested as deep as you like; `3*a` weighs three times as much; `[a|]` may stay away
    {slot}      what the caller fills in; a `Piece` with a label leaves a span
    @rule       another template, one of those the grammar holds under that name

A `Prose` keeps its text in pieces, so that spans stay exact through joining, lower case, typos and abbreviations.
Typos and abbreviations never touch a labelled piece: what a redactor has to find is what the truth says is there.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import NamedTuple, TypeVar

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

Grammar = Mapping[str, str | Sequence[str]]
T = TypeVar("T")


class Piece(NamedTuple):
    """A stretch of text; label: what it is, empty for the words between."""

    text: str
    label: str = ""


class Span(NamedTuple):
    """Where a labelled piece lies: `text[start:end]`, in Python characters."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Prose:
    """Text in pieces."""

    pieces: tuple[Piece, ...] = ()

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def spans(self) -> list[Span]:
        """Labelled pieces, in order."""
        ends = list(accumulate(len(piece.text) for piece in self.pieces))
        return [Span(e - len(p.text), e, p.label) for p, e in zip(self.pieces, ends, strict=True) if p.label]

    def __bool__(self) -> bool:
        return any(piece.text for piece in self.pieces)

    def __add__(self, other: "Prose | str") -> "Prose":
        return Prose(self.pieces + (Prose((Piece(other),)) if isinstance(other, str) else other).pieces)

    def edit(self, change: Callable[[str], str]) -> "Prose":
        """Change the words between the labelled pieces; the result may be longer or shorter."""
        return Prose(tuple(p if p.label else Piece(change(p.text)) for p in self.pieces))

    def recase(self, change: Callable[[str], str]) -> "Prose":
        """Change the whole text, labelled pieces too, character by character.

        Raises ValueError when the change alters the length, and with it every place.
        """
        changed = change(self.text)
        if len(changed) != len(self.text):
            raise ValueError("recase must keep the length of the text")
        ends = list(accumulate(len(piece.text) for piece in self.pieces))
        return Prose(
            tuple(Piece(changed[e - len(p.text) : e], p.label) for p, e in zip(self.pieces, ends, strict=True))
        )

    def tidy(self) -> "Prose":
        """One space where optional parts left several, none before a comma or a full stop, none at the ends."""
        tidied: list[Piece] = []
        before = " "  # as after a space, so that a leading one goes
        for text, label in _merged(self.pieces):
            kept = text
            if not label:
                kept = _LOOSE.sub("", text)
                kept = kept.lstrip(" ") if before[-1] in " \n" else kept
            if kept:
                tidied.append(Piece(kept, label))
                before = kept
        if tidied and not tidied[-1].label:
            tidied[-1] = Piece(tidied[-1].text.rstrip())
        return Prose(tuple(piece for piece in tidied if piece.text))


_LOOSE = re.compile(r" +(?=[ ,.;:?!)\n])|(?<=\n) +")


def _merged(pieces: Iterable[Piece]) -> list[Piece]:
    """Pieces with the words between two labelled ones in one."""
    merged: list[Piece] = []
    for piece in pieces:
        if merged and not piece.label and not merged[-1].label:
            merged[-1] = Piece(merged[-1].text + piece.text)
        else:
            merged.append(piece)
    return merged


def join(separator: str, parts: Iterable[Prose | str]) -> Prose:
    """The parts that are not empty, with a separator between."""
    joined: list[Piece] = []
    for part in parts:
        if part:
            pieces = (Piece(part),) if isinstance(part, str) else part.pieces
            joined += [Piece(separator), *pieces] if joined else pieces
    return Prose(tuple(joined))


# A parsed template: words, a slot, a rule, or a choice between sequences with their cumulated weights.
_Node = tuple[str, str] | tuple[str, list[float], list[list["_Node"]]]
_TOKEN = re.compile(r"\{(\w+)\}|@(\w+)|([\[\]|])")
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?)\*")


@cache
def _parse(template: str) -> tuple[_Node, ...]:
    """A template as nodes. Raises ValueError when brackets do not match."""
    stack: list[list[list[_Node]]] = [[[]]]  # open brackets -> their alternatives -> nodes
    at = 0
    for token in _TOKEN.finditer(template):
        if token.start() > at:
            stack[-1][-1].append(("words", template[at : token.start()]))
        at = token.end()
        slot, rule, mark = token.groups()
        if mark == "[":
            stack.append([[]])
        elif mark == "|" and len(stack) > 1:
            stack[-1].append([])
        elif mark == "]" and len(stack) > 1:
            branches, weights = stack.pop(), []
            for branch in branches:
                weight = _WEIGHT.match(branch[0][1]) if branch and branch[0][0] == "words" else None  # type: ignore[arg-type]
                if weight:
                    branch[0] = ("words", weight.string[weight.end() :])
                weights.append(float(weight[1]) if weight else 1.0)
            stack[-1][-1].append(("choice", list(accumulate(weights)), branches))
        elif mark:
            raise ValueError(f"{mark!r} without an opening bracket in {template!r}")
        else:
            stack[-1][-1].append(("slot", slot) if slot else ("rule", rule))
    if len(stack) > 1:
        raise ValueError(f"a bracket is not closed in {template!r}")
    return (*stack[0][0], ("words", template[at:]))


class Writer:
    """Writes templates with one random generator: the same generator, grammar and calls give the same text."""

    def __init__(self, rng: np.random.Generator, grammar: Grammar | None = None) -> None:
        self.rng, self.grammar = rng, grammar or {}

    def chance(self, share: float) -> bool:
        """True for that share of the calls."""
        return bool(self.rng.random() < share)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, all alike likely."""
        return options[int(self.rng.random() * len(options))]

    def shuffled(self, options: Iterable[T]) -> list[T]:
        """The options in random order."""
        listed = list(options)
        return [listed[i] for i in self.rng.permutation(len(listed))]

    def write(self, template: str, **slots: str | Piece | Prose) -> Prose:
        """The text of a template, tidied. Raises KeyError for a slot or a rule that nobody gave."""
        pieces: list[Piece] = []
        self._expand(_parse(template), slots, pieces)
        return Prose(tuple(pieces)).tidy()

    def _expand(self, nodes: Sequence[_Node], slots: Mapping[str, str | Piece | Prose], pieces: list[Piece]) -> None:
        for node in nodes:
            if node[0] == "words":
                pieces.append(Piece(node[1]))  # type: ignore[arg-type]
            elif node[0] == "slot":
                value = slots[node[1]]  # type: ignore[index]
                pieces += (
                    value.pieces if isinstance(value, Prose) else [Piece(value) if isinstance(value, str) else value]
                )
            elif node[0] == "rule":
                rule = self.grammar[node[1]]  # type: ignore[index]
                self._expand(_parse(rule if isinstance(rule, str) else self.pick(rule)), slots, pieces)
            else:
                _, edges, branches = node  # type: ignore[misc]
                self._expand(branches[bisect_right(edges, self.rng.random() * edges[-1])], slots, pieces)


# Not after an abbreviation such as "y.o." or "E.": two letters, a digit or a bracket stand before the full stop.
_START = re.compile(
    r"(?:^|(?<=[^\W_][^\W_])[.!?]\s+|(?<=[)%\d])[.!?]\s+|(?<=/[A-Za-z])[.!?]\s+|\n)(?:\d+[.)] |[-¿¡\"] ?)?([a-zà-ÿ])"
)


def capitalised(prose: Prose) -> Prose:
    """Sentences and lines begin with a capital."""
    return prose.recase(lambda text: _START.sub(lambda m: m[0][:-1] + m[1].upper(), text))


def lowered(prose: Prose) -> Prose:
    """All in lower case, as typed on a telephone."""
    return prose.recase(str.lower)


def abbreviated(prose: Prose, rng: np.random.Generator, short: Mapping[str, str], share: float) -> Prose:
    """Words in their short form, each occurrence with that share; `short` maps the words, in lower case, to it.

    A word in capitals stays in capitals, one that begins with a capital begins with one.
    """
    pattern = re.compile(rf"\b({'|'.join(sorted(map(re.escape, short), key=len, reverse=True))})\b", re.IGNORECASE)

    def shorten(match: re.Match[str]) -> str:
        word = match[0]
        if rng.random() >= share:
            return word
        brief = short[word.lower()]
        return brief.upper() if word.isupper() else brief[0].upper() + brief[1:] if word[0].isupper() else brief

    return prose.edit(lambda text: pattern.sub(shorten, text))


def mistyped(prose: Prose, rng: np.random.Generator, rate: float) -> Prose:
    """Typing mistakes in words of four letters and more, each with that rate: swapped, lost and doubled letters."""

    def spoil(match: re.Match[str]) -> str:
        word = match[0]
        if rng.random() >= rate:
            return word
        at, kind = 1 + int(rng.random() * (len(word) - 2)), rng.random()
        if kind < 0.45:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        return word[:at] + (word[at + 1 :] if kind < 0.85 else word[at] + word[at:])

    return prose.edit(lambda text: re.sub(r"[^\W\d_]{4,}", spoil, text))


def repetition(texts: Sequence[str], near: float = 0.8, at_most: int = 4000) -> dict[str, float]:
    """How much texts repeat one another; every figure is a share, 0 to 1.

    distinct_lines, distinct_sentences: different ones among all that are not empty. repeated_8_grams: runs of eight
    words that occur more than once, among all runs. near_duplicates: texts that share at least `near` of their
    three-word runs (Jaccard) with another, among the first `at_most` texts.
    """
    lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    sentences = [s for line in lines for s in re.split(r"(?<=[.!?])\s+", line) if s]
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    runs = Counter(tuple(found[i : i + 8]) for found in words for i in range(len(found) - 7))
    return {
        "distinct_lines": len(set(lines)) / max(len(lines), 1),
        "distinct_sentences": len(set(sentences)) / max(len(sentences), 1),
        "repeated_8_grams": sum(n for n in runs.values() if n > 1) / max(runs.total(), 1),
        "near_duplicates": float(np.mean(nearest(texts[:at_most]) >= near)) if texts else 0.0,
    }


def nearest(texts: Sequence[str]) -> np.ndarray:
    """For each text the largest share of three-word runs (Jaccard, 0 to 1) that it has in common with another."""
    vectors = CountVectorizer(ngram_range=(3, 3), binary=True, token_pattern=r"\w+", dtype=np.float32)
    try:
        runs = vectors.fit_transform(texts)
    except ValueError:  # no text has three words
        return np.zeros(len(texts))
    shared = (runs @ runs.T).tocoo()
    size = np.asarray(runs.sum(axis=1)).ravel()
    other = shared.row != shared.col
    row, col, both = shared.row[other], shared.col[other], shared.data[other]
    best = np.zeros(len(texts))
    np.maximum.at(best, row, both / (size[row] + size[col] - both))
    return best
