"""Do messages and summaries look as the literature says, and do they repeat themselves little?"""

import re

from carelab.synth.areas import Measure
from carelab.synth.messages.measure import Data
from carelab.synth.messages.reading import red_subject


def _subject_rule(data: Data) -> tuple[float, float]:
    """Sensitivity and positive predictive value of the rule on the subject line."""
    alarmed, high = data.messages["subject"].map(red_subject), data.messages["high_risk"]
    return float(alarmed[high].mean()), float(high[alarmed].mean())


def spans_exact(data: Data) -> float:
    """Share of the spans that hold a whole piece of their text: inside it, no space at either end, no letter or digit
    cut off, and at least one letter or digit."""
    good = 0
    for identity, start, end in data.spans[["text_id", "start", "end"]].itertuples(index=False):
        text = data.texts[identity]
        piece = text[start:end]
        # "91yo" is cut between a figure and a letter, and nowhere else.
        whole = not (re.search(r"\d\d|[^\W\d_]{2}", text[max(start - 1, 0) : start + 1]) and start)
        whole = whole and not re.search(r"\d\d|[^\W\d_]{2}", text[end - 1 : end + 1])
        good += bool(
            0 <= start < end <= len(text) and piece == piece.strip() and any(map(str.isalnum, piece)) and whole
        )
    return good / len(data.spans)


# Name of the target in world.toml -> what it means, how it is measured.
MEASURES = {
    "messages": Measure("messages of patients", lambda d: len(d.messages)),
    "summaries": Measure("discharge summaries", lambda d: len(d.documents)),
    "high_risk_share": Measure("messages with a high-risk symptom", lambda d: d.messages["high_risk"].mean()),
    "spanish_share": Measure("messages in Spanish", lambda d: d.messages["language"].eq("es").mean()),
    "subject_sensitivity": Measure("sensitivity of a rule on the subject line for high risk", lambda d: _subject_rule(d)[0]),
    "subject_ppv": Measure("positive predictive value of that rule", lambda d: _subject_rule(d)[1]),
    "spans_exact": Measure("identifying spans that hold exactly what they should", spans_exact),
    "message_distinct_lines": Measure("different lines among all lines of the messages", lambda d: d.message_repetition["distinct_lines"]),
    "message_repeated_8_grams": Measure(
        "runs of eight words in messages that occur more than once", lambda d: d.message_repetition["repeated_8_grams"]
    ),
    "message_near_duplicates": Measure(
        "messages that are nearly another one", lambda d: d.message_repetition["near_duplicates"]
    ),
    "summary_distinct_lines": Measure("different lines among all lines of the summaries", lambda d: d.summary_repetition["distinct_lines"]),
    "summary_repeated_8_grams": Measure(
        "runs of eight words in summaries that occur more than once", lambda d: d.summary_repetition["repeated_8_grams"]
    ),
    "flawed_share": Measure("summaries with a planted flaw", lambda d: d.flaws["document_id"].nunique() / len(d.documents)),
}  # fmt: skip
