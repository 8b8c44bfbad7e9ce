"""Simple readers of messages and summaries, naive ones and better ones: what the traps are measured with.

None of them sees the truth. They stand for what a team writes in an afternoon, and for what it writes on second thought.
"""

import re
from collections.abc import Callable, Iterable

import pandas as pd

# What a red subject line looks like; the last few are Spanish.
_SUBJECT = re.compile(
    r"urgen|emergency|asap|911|chest pain|breath|numbness|black stool|faint|swell|swollen|fever|self-harm|high sugars|bleeding|headache"
    r"|dolor de pecho|falta de aire|debilidad|heces negras|desmayo|hinchaz|fiebre|ideas suicidas|azúcar muy alta",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"chest|breath|numbness|went numb|weak|droop|slur|lift (?:my|one) arm|find my words|passed out|faint|blacked out"
    r"|black (?:and sticky|like tar|stool)|blood(?! count| pressure|work| thinner)"
    r"|bleeding|coffee ground|swollen|swelling|puffed|throat feels|fever|chills|temp of|want to be here|better off without|ending it"
    r"|self-harm|glucose was|meter (?:was|reads|has)|my sugar|very high sugars|headache|gasping|gibberish",
    re.IGNORECASE,
)
_SPANISH = re.compile(
    r"pecho|aire|respirar|ahogo|boca|brazo|durmió la mano|debilidad|negro|negras|sangre|desmay|conocimiento|hinch|garganta|fiebre|escalofr"
    r"|de temperatura|quitarme la vida|seguir viviendo|estarían mejor|ideas suicidas|el azúcar me|azúcar muy alta|sin sentido",
    re.IGNORECASE,
)
_NOT_SO = re.compile(
    r"\b(?:no|have no|don'?t have any|am not having|do not have|have not had|none of that|never had)\b[^.!?\n]{0,12}"
    r"(?=chest pain|trouble|numbness|black|fainting|swelling|fever|high fever|thoughts|very high|bleeding|sudden)"
    r"|none of that|never had it|that is not me|and no I don'?t"
    r"|\bno (?:tengo|he tenido|siento)\b|nada de eso|no me pasa",
    re.IGNORECASE,
)
_RELATIVE = re.compile(
    r"\bmy (?:husband|wife|mother|father|sister|brother|son|daughter|uncle|neighbor)\b|\bmi (?:esposo|papá|hermano|hijo|tío|suegro)\b",
    re.IGNORECASE,
)
_NOW = re.compile(r"right now|few minutes|ahora mismo|unos minutos", re.IGNORECASE)
_LONG_AGO = re.compile(
    r"\b20\d\d\b|two years ago|resolved|none since|was worked up|it was nothing|no fue nada", re.IGNORECASE
)


def red_subject(subject: str) -> bool:
    """Does the subject line sound urgent?"""
    return bool(_SUBJECT.search(subject))


def red_words(text: str, spanish: bool = False) -> bool:
    """Does a dangerous word occur anywhere? spanish: know the Spanish ones too."""
    return bool(_ENGLISH.search(text) or (spanish and _SPANISH.search(text)))


def red_flag(text: str, families: bool = True, spanish: bool = True) -> bool:
    """Does the writer report a dangerous symptom? Sentence by sentence, leaving out what is denied or long past and,
    if `families`, what somebody else had, unless it is happening now."""
    for sentence in re.split(r"(?<=[.!?])\s+|\n", text):
        if not red_words(sentence, spanish) or _NOT_SO.search(sentence) or _LONG_AGO.search(sentence):
            continue
        if families and _RELATIVE.search(sentence) and not _NOW.search(sentence):
            continue
        return True
    return False


_MONTH = (
    r"(?:january|jan|february|feb|march|mar|april|apr|may|june|jun|july|jul|august|aug|september|sep|october|oct|november|nov"
    r"|december|dec|enero|ene|febrero|marzo|abril|abr|mayo|junio|julio|agosto|ago|septiembre|octubre|noviembre|diciembre|dic)\b"
)
_PLAIN = {
    "phone": r"\b\d{3}-\d{4}\b",
    "mrn": r"\b(?:LH\d{6}|HOSP\d-\d{7})\b",
    "date": r"\b\d{1,2}[/-]\d{1,2}(?:[/-]\d{2,4})?\b",
    "email": r"\b[\w.]+@[\w.]+\w\b",
    "ssn": r"\b\d{3}-\d{2}-\d{4}\b",
    "address": r"\b\d{1,4} [A-Z]\w+ (?:Street|Lane|Road|Ave|Court|Drive|St\.|Way)",
    "name": r"\b[A-Z][a-z]+ [A-Z][a-z]+\b",
    "clinician": r"(?<=Dr\. )[A-Z][a-z]+",
}
_DAY = r"(?:\d{1,2}(?:st|nd|rd|th)?|first|second|third|[a-z]+th|twenty-\w+|thirty?-?\w+)"
_TOLERANT = _PLAIN | {
    "phone": r"\b\d{3}[-. ]?\d{4}\b|\b\d-\d{2}-\d{4}\b|\b555(?: (?:zero|one|two|three|four|five|six|seven|eight|nine"
    r"|cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve)){4}\b",
    "mrn": r"\b(?:l\.?h\.?[- ]?)?\d{6}\b|\b\d{3} \d{3}\b|\bHOSP\d-\d{7}\b",
    "date": rf"\b\d{{1,2}}[/.-]\d{{1,2}}(?:[/.-]\d{{2,4}})?\b|\b{_MONTH} {_DAY}\b(?:,? \d{{4}})?"
    rf"|\b{_DAY} of {_MONTH}(?:,? \d{{4}})?|\b(?:treinta y )?\w+ de {_MONTH}(?: de \d{{4}})?"
    rf"|\b\d{{1,2}} {_MONTH}(?: de \d{{4}})?|\b{_MONTH}",
    "email": r"\b[\w.]+ ?(?:@|\(at\)|at) ?example\.org\b",
    "ssn": r"\b\d{3}[-. ]?\d{2}[-. ]?\d{4}\b",
    "address": r"\b\d{1,4} \w+ (?:street|lane|road|ave|court|drive|st\.|way)(?:, \w+(?: \w+)?| apt \d)?"
    r"|\b\w+ (?:street|lane|road|ave|court|drive|st\.|way) #\d+",
    "age_over_89": r"\b9\d\b(?: years old| años)?|\bninety \w+|\bnoventa y \w+",
    "clinician": r"(?:(?<=dr\. )|(?<=dr )|(?<=doctor ))\w+",
}


def redactor(patterns: str, names: Iterable[str] = ()) -> Callable[[str], list[tuple[int, int]]]:
    """A function from a text to the places it would black out. patterns: "plain" or "tolerant"; names: words that are
    names, known from the register, looked for in any case by the tolerant one."""
    tolerant = patterns == "tolerant"
    listed = list((_TOLERANT if tolerant else _PLAIN).values())
    found = [re.compile(pattern, re.IGNORECASE if tolerant else 0) for pattern in listed]
    known = frozenset(name.lower() for name in names) if tolerant else frozenset()
    word = re.compile(r"[^\W\d_]+")
    initial = re.compile(r"\b[A-Za-z]\. $|^ [A-Za-z]\.")

    def places(text: str) -> list[tuple[int, int]]:
        hits = [match.span() for pattern in found for match in pattern.finditer(text)]
        for match in word.finditer(text):
            if match[0].lower() in known:  # with an initial on either side
                before, after = initial.search(text[: match.start()]), initial.match(text[match.end() :])
                hits.append((before.start() if before else match.start(), match.end() + (after.end() if after else 0)))
        return hits

    return places


def redacted(texts: pd.Series, spans: pd.DataFrame, places: Callable[[str], list[tuple[int, int]]]) -> pd.Series:
    """For each span (columns text_id, start, end) whether every letter and digit of it would be blacked out.

    texts: indexed by text_id.
    """
    gone: dict[str, list[bool]] = {}
    for identity in spans["text_id"].unique():
        text = texts[identity]
        black = [not char.isalnum() for char in text]
        for start, end in places(text):
            black[start:end] = [True] * (end - start)
        gone[identity] = black
    return pd.Series(
        [all(gone[i][a:b]) for i, a, b in zip(spans["text_id"], spans["start"], spans["end"], strict=True)],
        index=spans.index,
    )


def stated_dose(text: str, drug: str, last: bool = False) -> str:
    """The dose that stands behind a drug's name, where it is named first or last with one; empty if nowhere."""
    pattern = re.compile(rf"{re.escape(drug)}\b[^\n;,.]{{0,24}}?(\d[\d.]*) ?(mg|mcg|units|g)\b", re.IGNORECASE)
    found = pattern.findall(text)
    return " ".join(found[-1 if last else 0]) if found else ""
