"""Discharge summaries: what the record of a stay holds, told as a hospital doctor would, with planted flaws."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from carelab.synth import names
from carelab.synth.areas import Core
from carelab.synth.messages.intake import spread
from carelab.synth.messages.wording import wording
from carelab.synth.prose import Piece, Prose, Writer, abbreviated, capitalised, join
from carelab.synth.readmission.catalogue import REASONS
from carelab.synth.resources import SPECIALTIES
from carelab.synth.streams import stream

HOME = ("home", "home-health", "snf", "rehab", "hospice", "ama")  # others get another kind of document
SECTIONS = (
    "diagnosis", "complaint", "history", "course", "results", "medications", "allergies", "condition", "followup",
    "instructions",
)  # fmt: skip
# How three hospitals order a summary; what stands in one line changes places from doctor to doctor.
ORDERS = (
    ("diagnosis", "complaint history", "course", "results allergies", "medications", "condition followup instructions"),
    ("complaint", "history allergies", "course results", "diagnosis", "condition medications", "followup instructions"),
    ("diagnosis allergies", "history complaint", "course", "medications followup", "results condition", "instructions"),
)
OPTIONAL = ("complaint", "instructions", "results")  # left out by some doctors; no flaw
REQUIRED = ("medications", "allergies", "followup", "condition", "course")
_GOES_TO = {
    "home": "home", "home-health": "home with home health services", "snf": "skilled nursing facility",
    "rehab": "acute rehab", "hospice": "hospice", "ama": "left AMA",
}  # fmt: skip
_OFTEN = {
    "once daily": ("daily", "once a day", "every day"), "twice daily": ("BID", "twice daily", "bid"),
    "at bedtime": ("at bedtime", "nightly", "qHS"),
    "three times daily": ("TID", "three times daily"), "four times daily": ("QID", "four times daily"),
    "every 6 hours as needed": ("q6h PRN", "every 6 h as needed"), "every 8 hours as needed": ("q8h PRN", "every 8 h prn"),
    "every 4 hours as needed": ("q4h PRN", "every 4 h as needed"),
}  # fmt: skip
_WAY = {"oral": ("PO", "by mouth", "po"), "inhaled": ("inh", "inhaled"), "subcutaneous": ("SC", "subcut", "subQ")}
_TESTS = {
    "creatinine": ("Cr", "creatinine", "Creat"), "sodium": ("Na", "sodium"), "potassium": ("K", "potassium"),
    "hemoglobin": ("Hgb", "hemoglobin", "Hb"), "leukocytes": ("WBC",), "albumin": ("albumin", "alb"),
    "natriuretic": ("BNP",), "glucose": ("glucose", "glu"),
}  # fmt: skip
_ANTIBIOTICS = {
    "cellulitis": ("cefazolin", "clindamycin"),
    "sepsis": ("cefepime", "levofloxacin"),
    "cholecystitis": ("ceftriaxone", "levofloxacin"),
}
# What contradicts an allergy: substance -> (as written, drug).
_CONFLICTS = {
    "penicillin": ("Augmentin 875 mg PO BID x 7 days", "amoxicillin-clavulanate"),
    "sulfonamide antibiotics": ("Bactrim DS 1 tab PO BID x 7 days", "trimethoprim-sulfamethoxazole"),
    "codeine": ("Tylenol #3 1 tab PO q6h PRN pain", "acetaminophen-codeine"),
}


@dataclass
class Note:
    """A summary in the making: its pen, the facts it states, and what is wrong with it."""

    document_id: str
    pen: Writer
    facts: list[dict[str, Any]] = field(default_factory=list)
    flaws: list[dict[str, Any]] = field(default_factory=list)

    def fact(self, kind: str, value: str, section: str, text: str, supported: bool = True, phi: str = "") -> Piece:
        """A statement of the note, as a piece whose place is kept."""
        self.facts.append(
            {"document_id": self.document_id, "kind": kind, "value": value, "supported": supported, "section": section}
        )
        return Piece(text, f"{phi}|fact:{len(self.facts) - 1}")

    def flaw(self, name: str, section: str, value: str) -> str:
        """Note a flaw; the label of the piece that shows it."""
        self.flaws.append({"document_id": self.document_id, "flaw": name, "section": section, "value": value})
        return f"|flaw:{len(self.flaws) - 1}"


def choose(core: Core, stays: pd.DataFrame) -> pd.DataFrame:
    """The stays that have a summary in the extract: all of S's patients, and some of the others.

    Adds document_id, written (local) and flaw (name, or "" for none; not every flaw can be planted in every stay).
    """
    settings, world = core.world.messages, core.world

    def draw(name: str) -> np.random.Generator:
        return stream(world.seed, f"messages/{name}", core.panel.number)

    latest = pd.Timestamp(world.clock.extract_at) - pd.Timedelta(days=5)
    able = stays[stays["disposition"].isin(HOME) & (stays["class"] == "IMP") & (stays["discharged"] < latest)]
    able = able[~able.duplicated(["person", "admitted"])]
    others = able[~able["in_sample"]]
    share = min(settings.summaries_per_panel / max(len(others), 1), 1.0)
    kept = others[spread(draw("summary-of"), len(others), share)]
    chosen = pd.concat([able[able["in_sample"]], kept]).sort_values("stay_id", ignore_index=True)
    n = len(chosen)
    chosen["document_id"] = "dsm-" + chosen["stay_id"].str.removeprefix("enc-")
    hours = draw("written").gamma(1.5, 6.0, n).clip(0.2, 60)
    chosen["written"] = (chosen["discharged"] + pd.to_timedelta(hours, unit="h")).dt.floor("min")
    flaws = settings.flaw_share
    drawn = draw("flaw").random(n)
    edges = np.cumsum(list(flaws.values()))
    chosen["flaw"] = np.array([*flaws, ""], dtype=object)[np.searchsorted(edges, drawn, side="right")]
    chosen["allergy_conflict"] = draw("allergy-conflict").random(n) < settings.allergy_conflict_share
    return chosen


def compose_summaries(
    core: Core, frames: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Summaries (the chosen stays with `prose`, a `Prose`, and `amended`), their facts, and their flaws.

    facts: document_id, kind, value, supported, section, start, end; flaws: document_id, flaw, section, value, start,
    end. start and end are Python characters of the text, missing where nothing in it shows the flaw.
    """
    stays = choose(core, frames["stays"])
    record: dict[str, dict[str, list[dict[str, Any]]]] = {identity: {} for identity in stays["stay_id"]}
    for name in ("labs", "medications", "followups"):
        for found in record.values():
            found[name] = []
        entry: Any
        for entry in frames[name][frames[name]["stay_id"].isin(stays["stay_id"])].to_dict("records"):
            record[entry["stay_id"]][name].append(entry)
    who = stays["person"].unique()
    known = frames["allergies"].drop_duplicates("person").set_index("person")
    allergies: dict[Any, Any] = known[known.index.isin(who)].to_dict("index")
    people: dict[Any, Any] = frames["people"].loc[who].to_dict("index")
    history: dict[int, list[tuple[pd.Timestamp, str]]] = {}
    of_them = frames["stays"].loc[frames["stays"]["person"].isin(who), ["person", "admitted", "principal"]]
    for person, when, code in of_them.itertuples(index=False):
        history.setdefault(person, []).append((when, code))
    words = stream(core.world.seed, "messages/notes", core.panel.number)
    rows: list[dict[str, Any]] = []
    facts: list[dict[str, Any]] = []
    flaws: list[dict[str, Any]] = []
    stay: Any
    for stay in stays.to_dict("records"):
        note = Note(stay["document_id"], Writer(words, wording("notes")["rules"]))
        earlier = [code for when, code in history[stay["person"]] if when < stay["admitted"]]
        told = Telling(
            core, note, stay, people[stay["person"]], allergies.get(stay["person"]), earlier,
            record[stay["stay_id"]],
        )  # fmt: skip
        prose = told.write()
        places = {label: (span.start, span.end) for span in prose.spans for label in span.label.split("|")}
        for kind, listed, into in (("fact", note.facts, facts), ("flaw", note.flaws, flaws)):
            for i, entry in enumerate(listed):
                start, end = places.get(f"{kind}:{i}", (None, None))
                into.append(entry | {"start": start, "end": end})
        rows.append(stay | {"prose": prose, "amended": told.amended})
    columns = ["document_id", "kind", "value", "supported", "section", "start", "end"]
    places_as = {"start": "Int32", "end": "Int32"}
    return (
        pd.DataFrame(rows, columns=[*stays.columns, "prose", "amended"]),
        pd.DataFrame(facts, columns=columns).astype(places_as),
        pd.DataFrame(flaws, columns=["document_id", "flaw", "section", "value", "start", "end"]).astype(places_as),
    )


_KNOWN_FOR = ("with PMH of {}", "w/ h/o {}", "with a history of {}", "with {}", "PMH {}")
_HEALTHY = ("with no significant PMH", "previously healthy", "with no chronic conditions", "with unremarkable PMH")
_SHORT = {
    "patient": "pt", "with": "w/", "without": "w/o", "discharge": "d/c", "history": "hx", "treated": "tx'd",
    "follow up": "f/u", "follow-up": "f/u", "negative": "neg", "admission": "adm", "days": "d",
}  # fmt: skip


class Telling:
    """One stay told by one doctor."""

    def __init__(
        self, core: Core, note: Note, stay: dict[str, Any], person: Any, allergy: Any, earlier: list[str],
        record: Mapping[str, list[dict[str, Any]]],
    ) -> None:  # fmt: skip
        self.core, self.note, self.stay, self.person, self.allergy = core, note, stay, person, allergy
        self.record, self.pen, self.amended = record, note.pen, False
        self.reason = next(name for name, reason in REASONS.items() if reason.code == stay["principal"])
        self.words = wording("notes")
        self.told = self.words["reasons"][self.reason]
        pen = self.pen
        self.flaw = self._possible(stay["flaw"])
        self.stale = self._stale(earlier)
        grammar = {
            **self.words["rules"],
            "story": self.told["story"],
            "detail": self.told["detail"],
            "back": self.told["back"],
        }
        pen.grammar = grammar
        self.us_dates = pen.pick(("{m}/{d}/{y}", "{m:02d}/{d:02d}/{y}", "{m}/{d}/{yy:02d}", "{b} {d}, {y}"))
        self.abbreviate, self.shortens = pen.chance(0.6), pen.chance(0.5)
        self.slots = self._slots()

    def _possible(self, flaw: str) -> str:
        """The flaw that was drawn, or none if this stay cannot carry it."""
        changeable = [m for m in self.record["medications"] if m["action"] != "stopped"]
        if flaw == "dose-in-addendum" and not [m for m in changeable if _other_dose(m)]:
            return ""
        if flaw == "follow-up-missing" and not self.record["followups"]:
            return ""
        return flaw

    def _stale(self, earlier: list[str]) -> str:
        """Reason of another stay, that of an earlier one if there is any."""
        named = {reason.code: name for name, reason in REASONS.items() if name in self.words["stale"]}
        seen = [named[code] for code in earlier if code in named and code not in self.stay["diagnoses"]]
        others = [name for code, name in named.items() if code not in self.stay["diagnoses"] and name != self.reason]
        return seen[-1] if seen else self.pen.pick(others)

    def _slots(self) -> dict[str, str | Piece | Prose]:
        """Everything a template may ask for."""
        pen, person, stay = self.pen, self.person, self.stay
        rng = pen.rng
        age = int((stay["admitted"] - person["birth_date"]).days / 365.25)
        sex = ("woman", "female", "F", "lady") if person["sex"] == "female" else ("man", "male", "M", "gentleman")
        number = Piece(str(age), "age_over_89" if age > 89 else "")
        who = pen.write(
            "{age}[ y.o.| yo|-year-old|yo] {sex}",
            age=number,
            sex=pen.pick(sex[:3] if self.abbreviate else (*sex[:2], sex[3])),
        )
        chronic = [c for c in stay["diagnoses"][1:] if c in self.words["short"] and c not in self.words["acute"]]
        known = [pen.pick(self.words["short"][code]) for code in pen.shuffled(chronic)]
        self.chronic = bool(known)
        past = pen.pick(_KNOWN_FOR).format(", ".join(known)) if known else pen.pick(_HEALTHY)
        nights = (stay["discharged"].normalize() - stay["admitted"].normalize()).days
        penicillin = self.allergy is not None and self.allergy["substance"] == "penicillin"
        family = pen.pick(names.FIRST_PARTS) + pen.pick(names.LAST_PARTS)

        def whole(low: int, high: int) -> str:
            return str(low + int(rng.random() * (high - low + 1)))

        return {
            "who": who, "aged": join(" ", ["an" if age in (11, 18) or 80 <= age < 90 else "a", who]),
            "past": past,
            "abx": _ANTIBIOTICS.get(self.reason, ("ceftriaxone", "levofloxacin"))[penicillin],
            "few": whole(2, 9), "few3": whole(2, max(2, min(4, nights))), "hr": whole(58, 92), "sbp": whole(106, 144), "dbp": whole(58, 84),
            "sat": whole(93, 99), "sat1": whole(1, 5), "weight": f"{whole(52, 108)}.{whole(0, 9)}",
            "phone": Piece(f"555-01{int(rng.random() * 100):02d}", "phone"), "attending": Piece(family, "clinician"),
        }  # fmt: skip

    def _date(self, when: pd.Timestamp) -> str:
        """A day as this doctor writes it."""
        return self.us_dates.format(m=when.month, d=when.day, y=when.year, yy=when.year % 100, b=when.strftime("%b"))

    def write(self) -> Prose:
        """The whole text."""
        pen, flaw = self.pen, self.flaw
        hospital = int(self.stay["site_id"][-1]) - 1
        order = [section for group in ORDERS[hospital] for section in pen.shuffled(group.split())]
        left_out = {name for name in OPTIONAL if pen.chance(0.15)}
        if flaw == "missing-section":
            gone = pen.pick([s for s in REQUIRED if s != "followup" or self.record["followups"]])
            left_out.add(gone)
            self.note.flaw("missing-section", gone, gone)
        # One habit a doctor: headings in line with the text or above it, in capitals or not.
        inline, loud = pen.chance(0.72), pen.chance(0.5)
        parts: list[Prose] = [self._header()]
        for section in order:
            if section in left_out:
                continue
            body = getattr(self, f"_{section}")()
            body = abbreviated(body, pen.rng, _SHORT, 0.6) if self.shortens else body
            heading = pen.pick(self.words["headings"][section])
            heading = heading.upper() if loud else heading
            parts.append(join(" " if inline else "\n", [f"{heading}:", body]))
        parts.append(self._signature())
        if flaw == "dose-in-addendum":
            parts.append(self._addendum())
        return capitalised(join(pen.pick(("\n", "\n", "\n\n")), parts)).tidy()

    def _header(self) -> Prose:
        pen, stay, person = self.pen, self.stay, self.person
        hospital = next(h.name for h in self.core.world.hospital if h.id == stay["site_id"])
        name = pen.pick(
            (
                f"{person['given']} {person['family']}",
                f"{person['family']}, {person['given']}",
                f"{person['family'].upper()}, {person['given'].upper()}",
            )
        )
        born = Piece(self._date(person["birth_date"]), "date")
        ward = stay["ward"].title()
        slots: dict[str, str | Piece | Prose] = {
            "name": Piece(name, "name"), "mrn": Piece(person["mrn"], "mrn"), "born": born, "ward": ward, "hospital": hospital,
            "attending": self.slots["attending"],
            "adm": self._day_fact("admitted"), "dis": self._day_fact("discharged"),
            "to": self.note.fact("disposition", stay["disposition"], "header", _GOES_TO[stay["disposition"]]),
        }  # fmt: skip
        return pen.write("@header", **slots)

    def _day_fact(self, name: str) -> Piece:
        """The day of admission or discharge."""
        day = self.stay[name]
        return self.note.fact(name, f"{day:%Y-%m-%d}", "header", self._date(day), phi="date")

    def _diagnosis(self) -> Prose:
        pen, stay, short = self.pen, self.stay, self.words["short"]
        first = self.note.fact("diagnosis", stay["principal"], "diagnosis", pen.pick(self.told["names"]))
        others = [code for code in stay["diagnoses"][1:] if code in short]
        listed = [Prose((self.note.fact("diagnosis", code, "diagnosis", pen.pick(short[code])),)) for code in others]
        parts = [Prose((first,)), *listed]
        if self.flaw == "copied-forward":
            parts.insert(
                1 + int(pen.rng.random() * len(parts)),
                self._copied("diagnosis", pen.pick(self.words["reasons"][self.stale]["names"])),
            )
        if pen.chance(0.5):
            return join("; ", parts) + "."
        return join("\n", [join("", [f"{i}. ", part]) for i, part in enumerate(parts, start=1)])

    def _copied(self, section: str, text: str) -> Prose:
        """A statement left over from another stay."""
        code = REASONS[self.stale].code
        label = self.note.flaw("copied-forward", section, code)
        piece = self.note.fact("diagnosis", code, section, text, supported=False)
        return Prose((Piece(text, piece.label + label),))

    def _complaint(self) -> Prose:
        return self.pen.write(
            '[{cc}|{cc}.|"{cc}"]' if self.pen.chance(0.8) else "{cc}, see HPI.",
            cc=self._line(self.pen.pick(self.told["cc"])),
        )

    def _line(self, template: str) -> Prose:
        return self.pen.write(template, **self.slots)

    def _history(self) -> Prose:
        return self._line("@hpi_planned" if REASONS[self.reason].elective else "@hpi_acute")

    def _course(self) -> Prose:
        pen = self.pen
        said: list[Prose] = []
        for template in self.told["course"]:
            # Nobody looks for a fibrillation that is known.
            known = "AF" in template and self.reason != "fibrillation" and "I48.20" in self.stay["diagnoses"]
            if not known and (not template.startswith("?") or pen.chance(0.6)):
                said.append(self._line(template.removeprefix("?")))
        for code in self.stay["diagnoses"][1:]:
            if code in self.words["acute"] and pen.chance(0.85):
                said.append(self._line(pen.pick(self.words["acute"][code])))
        if self.flaw == "unsupported":
            said.insert(1 + int(pen.rng.random() * (len(said) - 1)), self._unsupported())
        if self.flaw == "copied-forward":
            said.append(self._copied("course", self._line(pen.pick(self.words["stale"][self.stale])).text))
        if self.chronic and self.record["medications"] and pen.chance(0.65):
            said.append(self._line("@home_meds"))
        if pen.chance(0.4):
            said.append(self._line("@stable"))
        return join(pen.pick((" ", " ", "\n- ", "\n")), said) if len(said) > 3 else join(" ", said)

    def _unsupported(self) -> Prose:
        """A statement that nothing in the record bears out."""
        pen, stay = self.pen, self.stay
        given = " ".join(m["name"] for m in self.record["medications"])
        fits = [u for u in self.words["unsupported"] if u["about"] not in given and u["about"] not in stay["diagnoses"]]
        chosen = pen.pick(fits)
        kind, value, text = chosen["kind"], chosen["value"], self._line(chosen["words"]).text
        label = self.note.flaw("unsupported", "course", value)
        return Prose((Piece(text, self.note.fact(kind, value, "course", text, supported=False).label + label),))

    def _results(self) -> Prose:
        pen = self.pen
        by_test: dict[str, list[dict[str, Any]]] = {}
        for lab in self.record["labs"]:
            by_test.setdefault(lab["test"], []).append(lab)
        if not by_test:
            return self._line("[No labs this admission|Labs: none sent|No routine labs drawn].")
        said: list[Prose] = []
        for test in pen.shuffled(by_test):
            labs = by_test[test]
            if len(said) > 2 and len(labs) == 1 and pen.chance(0.4):
                continue
            said.append(self._result(test, labs))
        return join(pen.pick((" ", " ", "\n")), said)

    def _result(self, test: str, labs: list[dict[str, Any]]) -> Prose:
        """First and last value of one test."""
        unit = labs[0]["unit"] if self.pen.chance(0.6) else ""
        ends: list[tuple[dict[str, Any], str, str]] = []
        for lab in (labs[0], labs[-1]):
            number = (
                f"{lab['true_value']:g}"
                if test in ("sodium", "natriuretic", "glucose")
                else f"{lab['true_value']:.{2 if test == 'creatinine' else 1}f}"
            )
            text = f"{number} {unit}".strip() if len(ends) == len(labs[:2]) - 1 else number
            ends.append((lab, number, text))
        slots: dict[str, str | Piece | Prose] = {"test": self.pen.pick(_TESTS[test])}
        names_ = ("first", "last") if len(labs) > 1 else ("first",)
        for name, (lab, number, text) in zip(names_, ends, strict=False):
            slots[name] = self.note.fact("lab", f"{test} {number} {lab['unit']}", "results", text)
        slots |= {
            "when": Piece(self._date(labs[0]["taken"]), "date"),
            "then": Piece(self._date(labs[-1]["taken"]), "date"),
        }
        return self.pen.write("@labs_trend" if len(labs) > 1 else "@labs_one", **slots)

    def _drug(self, order: dict[str, Any], dose: str | None = None) -> str:
        """An order in words."""
        often = order["frequency"]
        for plain, short in _OFTEN.items():
            if often.startswith(plain):
                often = (self.pen.pick(short) if self.abbreviate else plain) + often.removeprefix(plain)
                break
        way = self.pen.pick(_WAY[order["route"]]) if self.abbreviate else _WAY[order["route"]][1]
        name = order["name"] if self.pen.chance(0.7) else order["name"].capitalize()
        return f"{name} {dose or order['dose']} {way} {often.replace(' for ', self.pen.pick((' for ', ' x ')))}"

    def _medications(self) -> Prose:
        pen, orders = self.pen, self.record["medications"]
        style = pen.pick(("inline", "inline", "group", "dash", "number"))
        lines: list[tuple[str, Prose]] = []
        wrong = self._wrong_dose()
        for order in orders:
            action = order["action"]
            value = f"{order['name']} {order['dose']} {order['frequency']}"
            if action == "stopped":
                text = pen.pick(
                    (
                        f"STOP {order['name']}",
                        f"{order['name']}: stopped",
                        f"Discontinued: {order['name']}",
                        f"hold/stop {order['name']}",
                    )
                )
                text = order["name"] if style == "group" else text
                lines.append((action, Prose((self.note.fact("stopped", order["name"], "medications", text),))))
            elif wrong and order is wrong[0]:
                text = self._drug(order, wrong[1])
                label = self.note.flaw("dose-in-addendum", "medications", f"{wrong[1]} -> {order['dose']}")
                piece = self.note.fact(
                    "medication",
                    f"{order['name']} {wrong[1]} {order['frequency']}",
                    "medications",
                    text,
                    supported=False,
                )
                lines.append(
                    ("continued" if action == "changed" else action, Prose((Piece(text, piece.label + label),)))
                )
            else:
                text = self._drug(order)
                was = (
                    f" ({pen.pick(('was', 'changed from', 'previously'))} {order['dose_before']})"
                    if action == "changed" and order.get("dose_before")
                    else ""
                )
                why = f" for {order['reason']}" if pen.chance(0.3) and "as needed" not in text else ""
                lines.append(
                    (action, Prose((self.note.fact("medication", value, "medications", text), Piece(why + was))))
                )
        if conflict := self._conflict():
            lines.insert(int(pen.rng.random() * (len(lines) + 1)), ("new", conflict))
        if not lines:
            return self._line("[None|No discharge medications|No medications prescribed].")
        return self._listed(lines, style)

    def _listed(self, lines: list[tuple[str, Prose]], style: str) -> Prose:
        """Orders as a list, in a line, or by what happened to them."""
        pen = self.pen
        if style == "group":
            mark = {"new": "NEW", "changed": "CHANGED", "continued": "CONTINUE", "stopped": "STOPPED"}
            groups = []
            for action, heading in mark.items():
                if found := [line for kind, line in lines if kind == action]:
                    groups.append(join("", [f"{heading} - ", join("; ", found)]))
            return join(". ", groups) + "."
        tag = {
            "new": (" (NEW)", " [new]", " - new"),
            "changed": (" (CHANGED)", " *dose change*", ""),
            "continued": ("", "", " (home med)"),
            "stopped": ("", "", ""),
        }
        told = [line + pen.pick(tag[kind]) for kind, line in lines]
        if style == "inline":
            return join(pen.pick((", ", "; ")), told) + "."
        return join(
            "\n", [join("", [f"{i}) " if style == "number" else "- ", line]) for i, line in enumerate(told, start=1)]
        )

    def _wrong_dose(self) -> tuple[dict[str, Any], str] | None:
        """Which order the body gets wrong, and the dose it states."""
        if self.flaw != "dose-in-addendum":
            return None
        able = [(m, _other_dose(m)) for m in self.record["medications"] if m["action"] != "stopped" and _other_dose(m)]
        self.corrected = self.pen.pick(able)
        return self.corrected

    def _addendum(self) -> Prose:
        order, wrong = self.corrected
        self.amended = True
        when = self.stay["discharged"] + pd.Timedelta(hours=20 + 60 * self.pen.rng.random())
        text = f"{order['dose']} {order['frequency']}"
        right = self.note.fact("medication", f"{order['name']} {text}", "addendum", text)
        return self.pen.write(
            "@addendum", when=Piece(self._date(when), "date"), drug=order["name"], right=right, wrong=wrong
        )

    def _conflicting(self) -> str:
        """How the summary contradicts the known allergy: "drug", "none known", or "" for not at all."""
        if self.allergy is None or not self.stay["allergy_conflict"]:
            return ""
        return "drug" if self.allergy["substance"] in _CONFLICTS and self.stay["severity"] < 0.6 else "none known"

    def _conflict(self) -> Prose | None:
        """An order that the allergy forbids."""
        if self._conflicting() != "drug":
            return None
        text, drug = _CONFLICTS[self.allergy["substance"]]
        label = self.note.flaw("allergy-conflict", "medications", f"{drug} / {self.allergy['substance']}")
        return Prose(
            (Piece(text, self.note.fact("medication", text, "medications", text, supported=False).label + label),)
        )

    def _allergies(self) -> Prose:
        pen = self.pen
        if self._conflicting() == "none known":
            label = self.note.flaw("allergy-conflict", "allergies", f"none known / {self.allergy['substance']}")
            text = self._line("@allergy_none").text
            return Prose(
                (
                    Piece(
                        text, self.note.fact("allergy", "none known", "allergies", text, supported=False).label + label
                    ),
                )
            )
        if self.allergy is None:
            text = self._line("@allergy_none").text
            return Prose((self.note.fact("allergy", "none known", "allergies", text),))
        name = (
            pen.pick(("sulfa", "sulfonamides"))
            if self.allergy["substance"].startswith("sulfon")
            else self.allergy["substance"]
        )
        name = pen.pick(("PCN", "penicillin")) if name == "penicillin" else name
        return pen.write(
            "@allergy",
            substance=self.note.fact("allergy", self.allergy["substance"], "allergies", name),
            reaction=self.allergy["reaction"],
        )

    def _condition(self) -> Prose:
        if self.stay["disposition"] == "hospice":
            return self._line("@hospice")
        return self._line("@condition")

    def _followup(self) -> Prose:
        pen, due = self.pen, self.record["followups"]
        if self.flaw == "follow-up-missing":
            visit = due[0]
            self.note.flaw("follow-up-missing", "followup", f"{visit['specialty']} {visit['due']:%Y-%m-%d}")
            due = []
        said: list[Prose] = []
        for visit in due:
            clinic = SPECIALTIES[visit["specialty"]]
            value = f"{visit['specialty']} {visit['due']:%Y-%m-%d}"
            clinic = (
                pen.pick(("PCP", "primary care", clinic))
                if visit["specialty"] == "family_medicine"
                else pen.pick((clinic, clinic.lower()))
            )
            said.append(
                pen.write(
                    "@follow", specialty=clinic, time=f"{visit['due']:%H:%M}",
                    due=self.note.fact("followup", value, "followup", self._date(visit["due"]), phi="date"),
                )
            )  # fmt: skip
        if not said:
            template = wording("notes")["rules"]["follow_none"]
            said.append(self._line(template[self.stay["disposition"] in ("snf", "rehab", "hospice")]))
        ask = self._line("@ask")
        return join(" ", [*said, ask])

    def _instructions(self) -> Prose:
        parts = [self._line("@instructions")]
        if self.pen.chance(0.65):
            parts.append(self._line("@diet"))
        return join(" ", self.pen.shuffled(parts))

    def _signature(self) -> Prose:
        seen = self._line("@seen") if self.pen.chance(0.4) else Prose()
        signed = self.pen.write(
            "[Dictated by|Electronically signed:|Signed,|e-signed] [{attending}, MD|Dr. {attending}|{attending} MD] {when}",
            attending=self.slots["attending"], when=Piece(self._date(self.stay["written"]), "date"),
        )  # fmt: skip
        return join("\n", [seen, signed])


def _other_dose(order: dict[str, Any]) -> str:
    """A dose that was or might have been ordered: the one before, or double; empty where there is none."""
    if order.get("dose_before") and order["dose_before"] != order["dose"]:
        return str(order["dose_before"])
    number, _, unit = order["dose"].partition(" ")
    if order["route"] == "inhaled" or not number.replace(".", "").isdigit() or unit not in ("mg", "mcg", "units"):
        return ""
    return f"{float(number) * 2:g} {unit}" if float(number) <= 100 else f"{float(number) / 2:g} {unit}"
