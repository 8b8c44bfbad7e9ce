"""What patients write to their clinic: first what a message is about and how urgent it is, then the words."""

import re
from typing import Any

import numpy as np
import pandas as pd

from carelab.synth.areas import Core
from carelab.synth.messages.identity import Forms, pharmacy
from carelab.synth.messages.wording import wording
from carelab.synth.prose import Piece, Prose, Writer, abbreviated, capitalised, join, lowered, mistyped
from carelab.synth.streams import stream

MESSAGES_PER_PANEL = 10_000  # room in the ids
CATEGORIES = ("refill", "scheduling", "symptom", "result", "billing", "form", "authorization", "other")
DRUGS = (
    ("lisinopril", "10 mg"), ("lisinopril", "20 mg"), ("metformin", "500 mg"), ("metformin", "1000 mg"), ("atorvastatin", "40 mg"),
    ("amlodipine", "5 mg"), ("levothyroxine", "75 mcg"), ("levothyroxine", "100 mcg"), ("sertraline", "50 mg"), ("omeprazole", "20 mg"),
    ("losartan", "50 mg"), ("gabapentin", "300 mg"), ("hydrochlorothiazide", "25 mg"), ("metoprolol", "25 mg"), ("furosemide", "20 mg"),
    ("escitalopram", "10 mg"), ("trazodone", "50 mg"), ("montelukast", "10 mg"), ("pantoprazole", "40 mg"), ("empagliflozin", "10 mg"),
    ("citalopram", "20 mg"), ("tamsulosin", "0.4 mg"), ("rosuvastatin", "10 mg"), ("bupropion", "150 mg"), ("meloxicam", "15 mg"),
)  # fmt: skip
_DRUGS_ES = {
    "metformin": "metformina", "atorvastatin": "atorvastatina", "amlodipine": "amlodipino", "levothyroxine": "levotiroxina",
    "sertraline": "sertralina", "omeprazole": "omeprazol", "losartan": "losartán", "gabapentin": "gabapentina",
    "hydrochlorothiazide": "hidroclorotiazida", "furosemide": "furosemida", "trazodone": "trazodona",
    "pantoprazole": "pantoprazol", "empagliflozin": "empagliflozina", "tamsulosin": "tamsulosina",
    "rosuvastatin": "rosuvastatina", "bupropion": "bupropión",
}  # fmt: skip
_SHORT = {
    "please": "pls", "appointment": "appt", "medication": "med", "prescription": "rx", "tomorrow": "tmrw", "because": "bc",
    "you": "u", "thanks": "thx", "without": "w/o", "authorization": "auth", "insurance": "ins",
}  # fmt: skip
_SHORT_ES = {"por favor": "x favor", "porque": "xq", "que": "q", "gracias": "grax", "también": "tb"}


def spread(rng: np.random.Generator, n: int, share: float) -> np.ndarray:
    """A boolean array of length n with that share of True, exact up to one, in random places."""
    first = rng.random()
    edges = np.floor(first + share * np.arange(n + 1))
    return np.asarray(np.diff(edges)[rng.permutation(n)] > 0)


def plan(core: Core) -> pd.DataFrame:
    """One row a message, sorted by the time it was sent.

    Columns: message_id, person, patient_id, sent (local), language (en, es), high_risk, subject_kind (plain, misleading,
    honest, alarming), category, second (another category it also asks about, or ""), mention (how a dangerous symptom
    comes up: own, family_now, negated, family, past or none), family (number of the template it is a copy of, or -1).
    """
    settings, world = core.world.messages, core.world

    def draw(name: str) -> np.random.Generator:
        return stream(world.seed, f"messages/{name}", core.panel.number)

    records = core.records[~core.records["duplicate"]].set_index("person")["patient_id"]
    start, end = pd.Timestamp(world.clock.history_start), pd.Timestamp(world.clock.extract_at).normalize()
    people = core.people[core.people["birth_date"] + pd.DateOffset(years=18) <= start]
    opened = people["registered"].where(people["registered"] > start, start)
    closed = people["left"].where(people["left"] < end, end)
    days = (closed - opened).dt.days.clip(lower=0)
    # Use of the portal rises in a straight line; a few write much more than the others.
    rise = (settings.per_year_2025 - settings.per_year_2020) / 5
    most = settings.per_year_2025 + rise * 1.5
    expected = (
        settings.kept_share
        * most
        * days
        / 365.25
        * draw("habit").gamma(settings.habit_shape, 1 / settings.habit_shape, len(people))
    )
    person = np.repeat(people.index.to_numpy(), draw("number").poisson(expected))
    n = len(person)
    day = opened.loc[person].reset_index(drop=True) + pd.to_timedelta(
        np.floor(draw("day").random(n) * days.loc[person].to_numpy()), unit="D"
    )
    years = (day - pd.Timestamp(2020, 7, 1)).dt.days / 365.25
    kept = draw("rise").random(n) < (settings.per_year_2020 + rise * years) / most
    hours = np.where(
        draw("evening").random(n) < 0.35, draw("late").normal(20.3, 1.3, n), draw("early").normal(11.5, 2.8, n)
    ).clip(5.5, 23.9)
    sent = day + pd.to_timedelta(np.floor(hours * 60), unit="min")
    plans = pd.DataFrame({"person": person, "sent": sent})[kept].sort_values(["sent", "person"], ignore_index=True)

    n = len(plans)
    first = core.panel.number * MESSAGES_PER_PANEL
    plans.insert(0, "message_id", [f"msg-{first + i:07d}" for i in range(n)])
    plans["patient_id"] = records.loc[plans["person"]].to_numpy()
    plans["language"] = np.where(people["language"].loc[plans["person"]].eq("es"), "es", "en")
    rng = draw("urgency")
    high = spread(rng, n, settings.high_risk_share)
    plans["high_risk"] = high
    kind = np.full(n, "plain", dtype=object)
    kind[high] = np.where(spread(rng, int(high.sum()), settings.misleading_share), "misleading", "honest")
    kind[~high] = np.where(spread(rng, int((~high).sum()), settings.alarming_share), "alarming", "plain")
    plans["subject_kind"] = kind
    shares = settings.category_share
    category = draw("category").choice(CATEGORIES, n, p=[shares[name] for name in CATEGORIES])
    plans["category"] = np.where(high, "symptom", category)
    mention = draw("mention").choice(list(settings.mention_share), n, p=list(settings.mention_share.values()))
    now = spread(draw("family-now"), n, settings.family_now_share)
    plans["mention"] = np.where(high, np.where(now, "family_now", "own"), mention)
    copies = spread(draw("copies"), n, settings.copied_share) & ~high
    pool = settings.templates
    template = np.floor(pool * draw("template").random(n) ** settings.template_skew).astype(int)
    plans["family"] = np.where(copies, template, -1)
    second = draw("second").choice(CATEGORIES, n)
    two = (draw("two").random(n) < settings.two_topics_share) & (second != plans["category"])
    plans["second"] = np.where(two & ~high, second, "")
    return plans


def _template(core: Core, family: int, language: str) -> dict[str, Any]:
    """What all copies of a template share: what it asks, and how it was filed."""
    rng = stream(core.world.seed, "messages/template-plan", f"{language}{family}")
    pair = rng.choice(len(CATEGORIES), 2, replace=False)
    filed = int(rng.random() < 0.5)
    # Which of the two desks a message on two things goes to is habit, not wording.
    two = rng.random() < core.world.messages.copied_two_topics_share
    return {
        "category": CATEGORIES[pair[filed if two else 0]],
        "second": CATEGORIES[pair[1 - filed]] if two else "",
        "turned": bool(filed) if two else False,
    }


def compose(
    core: Core, plans: pd.DataFrame, clinicians: list[str], contacts: dict[str, dict[str, str]]
) -> pd.DataFrame:
    """The plans with their words: columns subject, prose (a `Prose`), urgency, red_flag (in English, or None).

    clinicians: family names; contacts: patient_id -> phone, email, mrn, city.
    """
    pen_for = stream(core.world.seed, "messages/words", core.panel.number)
    fill_for = stream(core.world.seed, "messages/identity", core.panel.number)
    style = stream(core.world.seed, "messages/style", core.panel.number)
    people: dict[Any, Any] = core.people.to_dict("index")
    written = []
    row: Any
    for row in plans.to_dict("records"):
        pen, fill = Writer(pen_for, wording(row["language"])["rules"]), Writer(fill_for)
        copied, turned = row["family"] >= 0, pen.chance(0.5)
        if copied:
            row |= _template(core, row["family"], row["language"])
            turned = row["turned"]
            row["mention"] = "none"
            pen = Writer(stream(core.world.seed, "messages/template", f"{row['language']}{row['family']}"), pen.grammar)
        person = people[row["person"]]
        clinician = clinicians[row["person"] % 2]
        slots = _slots(core, row, person, pen, fill, clinician, contacts[row["patient_id"]])
        row |= _body(row, pen, slots, turned, person)
        row["prose"] = _styled(row["prose"], style, row["language"], core.world.messages.typo_share)
        written.append(row)
    frame = pd.DataFrame(written, columns=[*plans.columns, "turned", "subject", "prose", "urgency", "red_flag"])
    return frame.drop(columns="turned")


def _slots(
    core: Core, row: dict[str, Any], person: Any, pen: Writer, fill: Writer, clinician: str, contact: dict[str, str]
) -> dict[str, str | Piece | Prose]:
    """Everything a template may ask for. What identifies differs between copies of a template; the rest does not."""
    language, values = row["language"], wording(row["language"])["values"]
    forms = Forms(fill, language, core.world.messages.awkward_share)
    sent = row["sent"].normalize()
    drug, dose = pen.pick(DRUGS)
    slots: dict[str, str | Piece | Prose] = {
        "clinician": Piece(clinician, "clinician"),
        "me": forms.name(person["given"], person["family"]),
        "dob": forms.date(person["birth_date"], year=True),
        "date": forms.date(sent - pd.Timedelta(days=int(fill.rng.integers(4, 60)))),
        "later": forms.date(sent + pd.Timedelta(days=int(fill.rng.integers(3, 45)))),
        "phone": forms.phone(contact["phone"]),
        "email": forms.email(contact["email"]),
        "mrn": forms.mrn(contact["mrn"]),
        "address": forms.address(contact["city"]),
        "ssn": forms.ssn(),
        "oldage": forms.old_age(),
        "person": forms.someone(),
        "month": Piece(fill.pick(values["month"]), "date"),
        "year": str(sent.year - 3 - int(pen.rng.random() * 12)),
        "drug": _DRUGS_ES.get(drug, drug) if language == "es" else drug,
        "dose": dose,
        "day": pen.pick(values["weekday"]),
        "few": str(2 + int(pen.rng.random() * 8)),
        "money": f"${20 + int(pen.rng.random() * 380)}{pen.pick(('', '', '.40', '.85', '.12'))}",
        "pharmacy": pharmacy(pen),
    }
    for name in ("mild", "mild_short", "test", "value_odd", "scan", "thinner", "relative_kind", "elder"):
        slots[name] = pen.pick(values[name])
    return slots


def _sentence(prose: Prose, pen: Writer) -> Prose:
    """Closed with a full stop, if nothing closes it yet."""
    return prose if prose.text.endswith((".", "?", "!")) else prose + pen.pick((".", ".", ".", "...", "!"))


def _after(opening: Prose, sentence: Prose) -> Prose:
    """A sentence after a few words that lead over to it: it does not begin with a capital any more."""
    first, _, rest = sentence.text.partition(" ")
    if (
        opening
        and not opening.text.endswith(".")
        and first not in ("I", "I'm", "Dr.", "Google")
        and not rest[:1].isupper()
    ):
        sentence = sentence.recase(lambda text: re.sub(r"[^\W\d_]", lambda m: m[0].lower(), text, count=1))
    return join(" ", [opening, sentence])


def _body(
    row: dict[str, Any], pen: Writer, slots: dict[str, str | Piece | Prose], turned: bool, person: Any
) -> dict[str, Any]:
    """Subject, words, urgency and red flag of a message."""
    words = wording(row["language"])
    subjects, flags = words["subjects"], words["flags"]
    may = [
        f
        for f in flags
        if not f.get("women") or (person["sex"] == "female" and row["sent"].year - person["birth_date"].year < 45)
    ]
    flag, other = pen.shuffled(may if row["mention"] == "own" else [f for f in flags if not f.get("women")])[:2]
    slots = slots | {"sign": flag["sign"], "sign2": other["sign"]}

    def topic(name: str) -> list[Prose]:
        more = [pen.write(f"@{name}_more", **slots)] if pen.chance(0.6) else []
        return [pen.write(f"@{name}", **slots), *more]

    said = ""
    if row["high_risk"]:
        template = words["now_family"]["text"] if row["mention"] == "family_now" else flag["own"]
        alarm = _sentence(pen.write(pen.pick(template), **slots), pen)
        if row["subject_kind"] == "honest":
            parts = [alarm]
            subject = (
                pen.write("[{sign}|{sign}[!!| today| now]|{sign} - @soon]", **slots).text
                if row["mention"] == "own"
                else "911?"
            )
        else:
            said = pen.pick([c for c in CATEGORIES if c != "symptom"])
            parts = [*topic(said), _after(pen.write("@bridge", **slots), alarm)]
            if pen.chance(0.25):
                parts = [parts[-1], *parts[:-1]]
            subject = pen.write(pen.pick(subjects[said]), **slots).text
        urgency = "emergency" if row["mention"] == "family_now" else flag["urgency"]
    else:
        asked = [topic(row["category"])]
        if row["second"]:
            asked.append(topic(row["second"]))
            asked = asked[::-1] if turned else asked
            asked[1][0] = _after(pen.write("@both", **slots), asked[1][0])
        parts = [sentence for part in asked for sentence in part]
        if row["mention"] != "none":
            aside = _sentence(pen.write(f"@{row['mention']}", **slots), pen)
            parts = [aside, *parts] if pen.chance(0.2) else [*parts, aside]
        said = row["second"] if row["second"] and turned else row["category"]
        name = "alarming" if row["subject_kind"] == "alarming" else said if pen.chance(0.9) else pen.pick(CATEGORIES)
        subject = pen.write(pen.pick(subjects[name]), **slots).text
        urgency = "routine"
    asides = {"filler": 0.3, "whoami": 0.17, "reach": 0.22, "moved": 0.04, "elder": 0.03, "ssn": 0.015}
    extra = [pen.write(f"@{name}", **slots) for name, share in asides.items() if pen.chance(share)]
    at = pen.pick((len(parts), len(parts), len(parts) - 1))
    parts = [*parts[:at], *pen.shuffled(extra), *parts[at:]]
    ends = pen.rng.random()
    bye = pen.write("@bye", **slots) if ends < 0.6 else pen.write("@bye_unsigned", **slots) if ends < 0.85 else Prose()
    hello = pen.write("@hello", **slots) if pen.chance(0.7) else Prose()
    gap = pen.pick((" ", "\n"))
    prose = join(gap, [hello, join(pen.pick((" ", " ", "\n")), parts), bye])
    return {
        "subject": subject, "prose": prose.tidy(), "urgency": urgency,
        "red_flag": flag.get("english", flag["sign"]) if row["mention"] not in ("none", "family_now") else None,
    }  # fmt: skip


def _styled(prose: Prose, rng: np.random.Generator, language: str, typos: float) -> Prose:
    """As somebody types: with care, or in lower case, shortened, with mistakes."""
    care, short, slips = rng.random(3)
    if short < 0.15:
        prose = abbreviated(prose, rng, _SHORT if language == "en" else _SHORT_ES, 0.5)
    if slips < typos:
        prose = mistyped(prose, rng, 0.03)
    return lowered(prose) if care < 0.16 else prose if care < 0.3 else capitalised(prose)
