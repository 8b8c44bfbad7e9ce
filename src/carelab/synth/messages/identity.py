"""What identifies a person, as people write it: dates in words, numbers split by dots, names in lower case."""

from dataclasses import dataclass

import pandas as pd

from carelab.synth import names
from carelab.synth.prose import Piece, Writer

MONTHS = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
}  # fmt: skip
_DIGITS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
}
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth",
    "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth",
    "twenty-first", "twenty-second", "twenty-third", "twenty-fourth", "twenty-fifth", "twenty-sixth", "twenty-seventh",
    "twenty-eighth", "twenty-ninth", "thirtieth", "thirty-first",
)  # fmt: skip
_CARDINALS = (
    "primero", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce", "trece",
    "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve", "veinte", "veintiuno", "veintidós",
    "veintitrés", "veinticuatro", "veinticinco", "veintiséis", "veintisiete", "veintiocho", "veintinueve", "treinta",
    "treinta y uno",
)  # fmt: skip
_STREETS = ("Street", "Lane", "Road", "Ave", "Court", "Drive", "St.", "Way")


@dataclass(frozen=True)
class Forms:
    """Writes identifying pieces in one language; `awkward`: the share in a form that a simple pattern misses."""

    pen: Writer
    language: str
    awkward: float

    def _odd(self) -> bool:
        return self.pen.chance(self.awkward)

    def date(self, day: pd.Timestamp, year: bool = False) -> Piece:
        """A calendar date; with its year if asked."""
        d, m, y = day.day, day.month, day.year
        name = MONTHS[self.language][m - 1]
        if self.language == "es":
            if self._odd():
                text = self.pen.pick((f"{_CARDINALS[d - 1]} de {name}", f"{d} de {name}", f"{d} {name[:3]}"))
                return Piece(text + (f" de {y}" if year else ""), "date")
            return Piece(
                f"{d:02d}/{m:02d}/{y}" if year else self.pen.pick((f"{d}/{m}/{y}", f"{d}/{m}/{y % 100}")), "date"
            )
        if self._odd():
            nth = "th" if d in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(d % 10, "th")
            forms = (
                f"{name} {_ORDINALS[d - 1]}",
                f"the {_ORDINALS[d - 1]} of {name}",
                f"{name[:3].lower()} {d}{nth}",
                f"{d}.{m:02d}",
            )
            text = self.pen.pick(forms)
            joint = "." if text[-1].isdigit() else ", "
            return Piece(text + (f"{joint}{y}" if year else ""), "date")
        if year:
            return Piece(self.pen.pick((f"{m:02d}/{d:02d}/{y}", f"{m}/{d}/{y}", f"{m}-{d}-{y}")), "date")
        return Piece(self.pen.pick((f"{m}/{d}", f"{m}/{d}/{y % 100}", f"{m}/{d}/{y}", f"{name} {d}")), "date")

    def phone(self, number: str) -> Piece:
        """A number in the form 555-0123."""
        first, last = number.split("-")
        if self._odd():
            digits = _DIGITS[self.language]
            spoken = " ".join(digits[int(c)] for c in last)
            forms = (
                f"{first}.{last}",
                f"{first} {last}",
                f"{first}{last}",
                f"{first} {spoken}",
                f"{first[0]}-{first[1:]}-{last}",
            )
            return Piece(self.pen.pick(forms), "phone")
        return Piece(number, "phone")

    def mrn(self, number: str) -> Piece:
        """A record number in the form LH000123; patients leave letters out."""
        digits = number.removeprefix("LH")
        if self._odd():
            return Piece(self.pen.pick((digits, f"{digits[:3]} {digits[3:]}", f"lh-{digits}", f"L.H. {digits}")), "mrn")
        return Piece(number, "mrn")

    def name(self, given: str, family: str) -> Piece:
        """A person's name."""
        if self._odd():
            forms = (
                f"{given} {family}".lower(),
                f"{family}, {given}",
                f"{given[0]}. {family}",
                given.lower(),
                f"{given} {family[0]}.",
            )
            return Piece(self.pen.pick(forms), "name")
        return Piece(f"{given} {family}", "name")

    def someone(self) -> Piece:
        """An invented person."""
        given = self.pen.pick(names.GIVEN["female"] + names.GIVEN["male"])
        if self.pen.chance(0.5):
            return Piece(given.lower() if self._odd() else given, "name")
        return self.name(given, self.pen.pick(names.FIRST_PARTS) + self.pen.pick(names.LAST_PARTS))

    def address(self, city: str) -> Piece:
        """A street of no town, in this town."""
        number = 2 + int(self.pen.rng.random() * 980)
        text = f"{number} {self.street()}, {city}"
        if self._odd():
            text = self.pen.pick(
                (text.lower(), f"{number} {self.street()} apt {number % 9 + 1}", f"{self.street()} #{number}")
            )
        return Piece(text, "address")

    def street(self) -> str:
        """A street without a number."""
        return f"{self.pen.pick(names.FIRST_PARTS)}{self.pen.pick(names.LAST_PARTS)} {self.pen.pick(_STREETS)}"

    def email(self, address: str) -> Piece:
        """An address on example.org."""
        if self._odd():
            user, host = address.split("@")
            return Piece(
                self.pen.pick((f"{user} at {host}", f"{user} (at) {host}", address.replace("@", " @ "))), "email"
            )
        return Piece(address, "email")

    def ssn(self) -> Piece:
        """A number in the form of a social security number, of an area that is never issued."""
        area = self.pen.pick(("000", "666"))
        group, serial = 10 + int(self.pen.rng.random() * 89), 1000 + int(self.pen.rng.random() * 8999)
        return Piece(
            (self.pen.pick(("{}.{}.{}", "{} {} {}", "{}{}{}")) if self._odd() else "{}-{}-{}").format(
                area, group, serial
            ),
            "ssn",
        )

    def old_age(self) -> Piece:
        """An age over 89, which identifies."""
        age, words = 90 + int(self.pen.rng.random() * 9), _DIGITS[self.language]
        if self.language == "es":
            return Piece(f"noventa y {words[age % 10]}" if self._odd() and age > 90 else f"{age} años", "age_over_89")
        if self._odd() and age > 90:
            return Piece(f"ninety {words[age % 10]}", "age_over_89")
        return Piece(self.pen.pick((f"{age}", f"{age} years old")), "age_over_89")


def pharmacy(pen: Writer) -> str:
    """An invented pharmacy."""
    return f"{pen.pick(names.FIRST_PARTS)}{pen.pick(('way', 'view', 'side', 'mart'))} {pen.pick(('Pharmacy', 'Drug', 'Drugs', 'Rx'))}"
