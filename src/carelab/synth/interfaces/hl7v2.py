"""ADT, ORU, SIU and DFT messages of three hospital groups, each with an interface engine of its own age and habits."""

from dataclasses import dataclass, field as default
from typing import Any

import numpy as np
import pandas as pd

from carelab.fhir.read import Resource
from carelab.synth.config import World
from carelab.synth.interfaces.er7 import escape, field, header, segment
from carelab.synth.interfaces.source import Source
from carelab.synth.streams import stream

MRN = "https://example.org/fhir/sid/mrn"
UMOL_PER_MG = 88.4
CREATININE = "2160-0"
REASONS = (
    "Blood pressure & weight check", "Results of last visit | discuss", "Interpreter needed (Polish)",
    "Follow-up ~ 3 months", "Refill\nand new prescription", "Form for school \\ work", "Cough & fever^2 days",
    "Wheelchair; ground floor", "Follow-up of last visit", "Medication review", "New symptoms", "School physical",
    "Skin check", "Results of blood test", "Annual check",
)  # fmt: skip
COMMENTS = ("Slightly hemolyzed & repeated", "Called to ward | read back", "Fasting: no\nDrawn late", "Sample ~ 2 mL")
# The old laboratory's own codes, as its directory lists them.
LOCAL = {
    "2160-0": "CREA", "2951-2": "NA", "2823-3": "K", "718-7": "HGB", "6690-2": "WBC", "1751-7": "ALB", "2345-7": "GLU",
    "30934-4": "BNP", "33762-6": "NTBNP", "3094-0": "BUN", "777-3": "PLT", "2524-7": "LAC", "4548-4": "HBA1C",
}  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """How one hospital group writes. zone: "offset" appends -0500, "none" leaves the local time bare, "utc" +0000."""

    version: str
    line_end: str
    bom: bool
    zone: str


DIALECTS = {
    "hosp-1": {
        "adt": Dialect("2.5.1", "\r", False, "offset"), "oru": Dialect("2.5.1", "\r", False, "offset"),
        "siu": Dialect("2.5.1", "\r", False, "offset"), "dft": Dialect("2.5", "\n", False, "offset"),
    },
    "hosp-2": {
        "adt": Dialect("2.3", "\n", True, "none"), "oru": Dialect("2.3.1", "\n", True, "none"),
        "siu": Dialect("2.3", "\r", False, "none"), "dft": Dialect("2.3", "\r", False, "none"),
    },
    "hosp-3": {
        "adt": Dialect("2.4", "\r\n", False, "offset"), "oru": Dialect("2.4", "\r\n", True, "utc"),
        "siu": Dialect("2.4", "\n", True, "utc"), "dft": Dialect("2.4", "\n", False, "offset"),
    },
}  # fmt: skip


def numbers_of(patient: Resource) -> tuple[str, str]:
    """Record number of the network, and of a hospital; one of them is empty."""
    found = {i["system"]: i["value"] for i in patient["identifier"]}
    return found.get(MRN, ""), next((number for system, number in found.items() if system != MRN), "")


@dataclass(frozen=True)
class Message:
    """One message of a feed. event: when it happened; sent: when it was sent (both UTC). body: the segments after MSH."""

    feed: str
    hospital: str
    kind: str
    event: pd.Timestamp
    sent: pd.Timestamp
    visit_id: str | None
    patient_id: str
    body: list[str]


@dataclass
class Planted:
    """What was planted where; rows of the truth table `interface_faults`."""

    rows: list[dict[str, Any]] = default(default_factory=list)

    def add(self, fault: str, where: str, visit_id: str | None = None, detail: str = "") -> None:
        """fault: name; where: file, message control id or claim id."""
        self.rows.append({"fault": fault, "where": where, "visit_id": visit_id, "detail": detail})


class Writer:
    """Makes the messages of the sample's visits.

    Everything is drawn from the world's seed by the name of the feed, so that one feed can change alone.
    """

    def __init__(self, source: Source, world: World, doubles: pd.DataFrame) -> None:
        """doubles: pairs of records of one person, columns kept and merged."""
        self.source, self.world, self.doubles = source, world, doubles
        self.messages: list[Message] = []

    def rng(self, name: str) -> np.random.Generator:
        """Generator of one feed or fault."""
        return stream(self.world.seed, f"interfaces/{name}")

    def time(self, at: pd.Timestamp, hospital: str, feed: str) -> str:
        """An instant (UTC) as this feed writes it; empty for NaT."""
        if at is pd.NaT:
            return ""
        zone = DIALECTS[hospital][feed].zone
        aware = at.tz_localize("UTC")
        if zone == "utc":
            return f"{aware:%Y%m%d%H%M%S}+0000"
        local = aware.tz_convert(self.world.clock.time_zone)
        return f"{local:%Y%m%d%H%M%S}" + (f"{local:%z}" if zone == "offset" else "")

    def _send(
        self,
        feed: str,
        hospital: str,
        kind: str,
        event: pd.Timestamp,
        wait: float,
        visit: str | None,
        patient: str,
        body: list[str],
    ) -> None:
        """wait: seconds between the event and the message. What would be sent after the extract is not there yet."""
        sent = (event + pd.Timedelta(seconds=round(wait))).floor("s")
        if sent <= self.source.extract:
            self.messages.append(Message(feed, hospital, kind, event, sent, visit, patient, body))

    def _pid(self, patient: Resource, hospital: str, phone: str | None = None) -> str:
        """PID with two identifiers: the network's record number and the hospital's own, in either order."""
        mrn, number = numbers_of(patient)
        own = field(number or f"{hospital[-1]}-{mrn[2:]}", "", "", hospital.upper(), "PI")
        numbers = [field(mrn, "", "", "LAKESHORE", "MR"), own] if mrn else [own]
        if hospital == "hosp-2":  # this engine puts its own number first
            numbers.reverse()
        name, address = patient["name"][0], patient.get("address", [{}])[0]
        phones = [t["value"] for t in patient.get("telecom", []) if t["system"] == "phone"]
        return segment(
            "PID", "1", "", "~".join(numbers), "", field(name["family"], name["given"][0]), "",
            patient["birthDate"].replace("-", ""), patient["gender"][0].upper(), "", "",
            field("", "", address.get("city"), "", address.get("postalCode")), "", phone or (phones[0] if phones else ""),
        )  # fmt: skip

    def _pv1(
        self,
        hospital: str,
        kind: str,
        site: str,
        visit: str,
        start: pd.Timestamp,
        end: pd.Timestamp,
        feed: str,
        out: str = "",
    ) -> str:
        """PV1 with the visit number in field 19, which every feed shares."""
        fields = [""] * 45
        fields[0], fields[1], fields[2], fields[18] = "1", kind, site.upper(), visit
        fields[35], fields[43], fields[44] = out, self.time(start, hospital, feed), self.time(end, hospital, feed)
        return segment("PV1", *fields)

    def admissions(self) -> None:
        """ADT A01 and A03 of the stays."""
        rng = self.rng("adt")
        stay: Any
        for stay in self.source.stays.itertuples():
            patient, h = self.source.patients[stay.patient_id], stay.hospital
            waits = rng.exponential([90.0, 600.0])
            pid = self._pid(patient, h)
            visit = self._pv1(h, "I", stay.site_id, stay.visit_id, stay.start, pd.NaT, "adt")
            evn = segment("EVN", "A01", self.time(stay.start, h, "adt"))
            self._send("adt", h, "ADT^A01", stay.start, waits[0], stay.visit_id, stay.patient_id, [evn, pid, visit])
            if stay.end is not pd.NaT:
                visit = self._pv1(
                    h, "I", stay.site_id, stay.visit_id, stay.start, stay.end, "adt", stay.disposition or ""
                )
                codes = [
                    segment("DG1", f"{i}", "", field(code, "", "I10C"))
                    for i, code in enumerate(stay.diagnoses, start=1)
                ]
                evn = segment("EVN", "A03", self.time(stay.end, h, "adt"))
                self._send(
                    "adt", h, "ADT^A03", stay.end, waits[1], stay.visit_id, stay.patient_id, [evn, pid, visit, *codes]
                )

    def updates(self, planted: Planted) -> dict[str, tuple[str, str]]:
        """ADT A08: a new phone number, and for some an older one that was stuck in a queue and comes last.

        Returns the true and the last-sent number by patient.
        """
        rng, rates, numbers = self.rng("a08"), self.world.interfaces, {}
        seen = sorted(set(self.source.visits["patient_id"]))
        hospital = dict(zip(self.source.visits["patient_id"], self.source.visits["hospital"], strict=True))
        for patient_id in seen:
            changed, late = rng.random() < rates.updated_share, rng.random() < rates.late_update_share
            days, hours, old = (
                rng.uniform(8, rates.window_days - 4),
                rng.uniform(20, 60),
                f"555-0{rng.integers(100, 200)}",
            )
            patient, h = self.source.patients[patient_id], hospital[patient_id]
            true = next(t["value"] for t in patient["telecom"] if t["system"] == "phone")
            if not changed or old == true:
                continue
            second = (self.source.extract - pd.Timedelta(days=days)).floor("s")
            first = second - pd.Timedelta(hours=hours)
            stuck = 3600 * (hours + 5) if late else 60
            for at, phone, wait in ((first, old, stuck), (second, true, 60)):
                body = [segment("EVN", "A08", self.time(at, h, "adt")), self._pid(patient, h, phone)]
                self._send("adt", h, "ADT^A08", at, wait, None, patient_id, body)
            numbers[patient_id] = (true, old if late else true)
            if late:
                planted.add("late-a08", patient_id, detail=f"{true} is right, {old} was sent last")
        return numbers

    def merges(self, planted: Planted) -> None:
        """ADT A40: the second record of a person is merged into the first."""
        rng = self.rng("a40")
        pair: Any
        for pair in self.doubles.itertuples():
            kept, merged = self.source.patients[pair.kept], self.source.patients[pair.merged]
            h = f"hosp-{1 + int(rng.integers(3))}"
            at = (self.source.extract - pd.Timedelta(days=float(rng.uniform(0.5, 5)))).floor("s")
            gone = numbers_of(merged)[0]
            body = [
                segment("EVN", "A40", self.time(at, h, "adt")), self._pid(kept, h),
                segment("MRG", field(gone, "", "", "LAKESHORE", "MR")),
            ]  # fmt: skip
            self._send("adt", h, "ADT^A40", at, 30, None, pair.kept, body)
            planted.add("a40-merge", pair.kept, detail=f"{pair.merged} is the same person")

    def results(self, planted: Planted) -> None:
        """ORU R01: the results of a stay taken at one time; one laboratory changes its unit, one has codes of its own."""
        rng, rates = self.rng("oru"), self.world.interfaces
        comment: Any
        for (visit, taken), labs in self.source.labs.groupby(["visit_id", "taken"], sort=True):
            h, patient_id = labs["hospital"].iloc[0], labs["patient_id"].iloc[0]
            local = rng.random(len(labs)) < rates.local_code_share
            says, which, wait = rng.random() < 0.25, int(rng.integers(len(COMMENTS))), float(rng.gamma(2.0, 2700.0))
            at = self.time(taken, h, "oru")
            lines = [segment("OBR", "1", "", f"{visit}-{taken:%m%d%H}", field("LAB", "Laboratory", "L"), "", "", at)]
            lab: Any
            for i, lab in enumerate(labs.itertuples(), start=1):
                value, unit = lab.value, lab.unit
                if (
                    lab.loinc == CREATININE
                    and h == rates.unit_hospital
                    and taken >= pd.Timestamp(rates.unit_from)
                    and unit == "mg/dL"
                ):
                    value, unit = round(value * UMOL_PER_MG, 0), "umol/L"
                    planted.add("unit-change", f"{visit} {taken:%Y-%m-%d}", str(visit), "creatinine in umol/L")
                code = field(lab.loinc, lab.name, "LN")
                if h == rates.local_code_hospital and local[i - 1] and lab.loinc in LOCAL:
                    code = field(LOCAL[lab.loinc], lab.name.partition(" [")[0], "L")
                lines.append(
                    segment("OBX", f"{i}", "NM", code, "", f"{value:g}", escape(unit), "", "", "", "", "F", "", "", at)
                )
            if says:
                comment = segment("NTE", "1", "L", escape(COMMENTS[which]))
                lines.append(comment)
            body = [
                self._pid(self.source.patients[patient_id], h),
                self._pv1(h, "I", h, str(visit), taken, pd.NaT, "oru"),
                *lines,
            ]
            self._send("oru", h, "ORU^R01", taken, wait, str(visit), patient_id, body)

    def bookings(self) -> None:
        """SIU S12 booked, S14 moved, S15 cancelled, S26 not come."""
        rng, rates = self.rng("siu"), self.world.interfaces
        visit: Any
        for visit in self.source.visits.itertuples():
            patient, h = self.source.patients[visit.patient_id], visit.hospital
            reason = REASONS[int(rng.integers(len(REASONS)))]
            moved, share, wait, other = (
                rng.random() < rates.moved_share,
                rng.random(),
                rng.exponential(40.0),
                int(rng.integers(1, 5)),
            )
            lead = visit.start - visit.created
            moved = moved and lead > pd.Timedelta(days=2)
            first = visit.start - pd.Timedelta(days=other) if moved else visit.start

            def body(
                start: pd.Timestamp,
                status: str,
                visit: Any = visit,
                patient: Resource = patient,
                reason: str = reason,
                h: str = h,
            ) -> list[str]:
                minutes = int((visit.end - visit.start).seconds // 60)
                when = field(
                    "", "", "", self.time(start, h, "siu"), self.time(start + (visit.end - visit.start), h, "siu")
                )
                sch = segment(
                    "SCH",
                    visit.visit_id,
                    "",
                    "",
                    "",
                    "",
                    field(status),
                    escape(reason),
                    field("NEW" if visit.new else "RET"),
                    str(minutes),
                    "min",
                    when,
                )
                visited = self._pv1(h, "O", visit.site_id, visit.visit_id, start, pd.NaT, "siu")
                ail = segment("AIL", "1", "", visit.site_id.upper(), visit.specialty)
                return [sch, self._pid(patient, h), visited, segment("RGS", "1"), ail]

            self._send(
                "siu", h, "SIU^S12", visit.created, wait, visit.visit_id, visit.patient_id, body(first, "BOOKED")
            )
            if moved:
                at = (visit.created + share * (lead - pd.Timedelta(days=1))).floor("s")
                self._send("siu", h, "SIU^S14", at, wait, visit.visit_id, visit.patient_id, body(visit.start, "BOOKED"))
            if visit.status == "cancelled":
                at = (visit.created + (0.2 + 0.8 * share) * lead).floor("s")
                self._send(
                    "siu", h, "SIU^S15", at, wait, visit.visit_id, visit.patient_id, body(visit.start, "CANCELLED")
                )
            if visit.status == "noshow":
                self._send(
                    "siu",
                    h,
                    "SIU^S26",
                    visit.start + pd.Timedelta(minutes=30),
                    wait,
                    visit.visit_id,
                    visit.patient_id,
                    body(visit.start, "NOSHOW"),
                )

    def charges(self, planted: Planted) -> None:
        """DFT P03: what is charged for visits that took place and stays that ended; a few never arrive."""
        rng, rates = self.rng("dft"), self.world.interfaces
        kept = self.source.visits[self.source.visits["status"].eq("fulfilled")]
        ended = self.source.stays[self.source.stays["end"].notna()]
        for frame, kind in ((kept, "O"), (ended, "I")):
            visit: Any
            for visit in frame.itertuples():
                lost, wait = (
                    rng.random() < rates.lost_charge_share,
                    float(rng.gamma(3.0, rates.charge_delay_hours / 3)) * 3600,
                )
                if lost:
                    planted.add("lost-charge", visit.visit_id, visit.visit_id, "no DFT was sent")
                    continue
                h = visit.hospital
                at = self.time(visit.end, h, "dft")
                lines = [
                    segment(
                        "FT1",
                        f"{i}",
                        "",
                        "",
                        at[:8],
                        at[:8],
                        "CG",
                        field(code, "", "COURSE" if code.startswith("SVC") else "HCPCS"),
                        "",
                        "",
                        f"{units}",
                        f"{amount:.2f}",
                    )
                    for i, (code, units, amount) in enumerate(visit.charges, start=1)
                ]
                codes = [
                    segment("DG1", f"{i}", "", field(code, "", "I10C"))
                    for i, code in enumerate(visit.diagnoses, start=1)
                ]
                body = [
                    segment("EVN", "P03", at), self._pid(self.source.patients[visit.patient_id], h),
                    self._pv1(h, kind, visit.site_id, visit.visit_id, visit.start, visit.end, "dft"), *lines, *codes,
                ]  # fmt: skip
                self._send("dft", h, "DFT^P03", visit.end, wait, visit.visit_id, visit.patient_id, body)


def files(writer: Writer, planted: Planted) -> tuple[dict[str, bytes], pd.DataFrame]:
    """The feeds as files by name, in the order of sending, and one row a message: file, control_id, kind, visit_id,
    patient_id, event and sent (UTC). The last message of one file is cut off.
    """
    found, rows = {}, []
    for hospital, dialects in DIALECTS.items():
        for feed, dialect in dialects.items():
            mine = sorted(
                (m for m in writer.messages if (m.feed, m.hospital) == (feed, hospital)),
                key=lambda m: (m.sent, m.visit_id or "", m.patient_id, m.kind),
            )
            if not mine:
                continue
            name, texts = f"hl7v2/{feed}-{hospital}.hl7", []
            for number, message in enumerate(mine, start=1):
                control = f"{feed.upper()}{hospital[-1]}-{number:04d}"
                sent = writer.time(message.sent, hospital, feed)
                msh = header(feed.upper(), hospital.upper(), sent, message.kind, control, dialect.version)
                texts.append(dialect.line_end.join([msh, *message.body, ""]))
                rows.append(
                    {
                        "file": name, "control_id": control, "kind": message.kind, "visit_id": message.visit_id,
                        "patient_id": message.patient_id, "event_utc": message.event, "sent_utc": message.sent,
                    }
                )  # fmt: skip
            if (feed, hospital) == ("siu", "hosp-1"):
                texts[-1] = texts[-1][: len(texts[-1]) * 2 // 5]
                planted.add(
                    "truncated", rows[-1]["control_id"], rows[-1]["visit_id"], "the file ends inside the message"
                )
            if dialect.bom:
                planted.add("byte-order-mark", name)
            if dialect.line_end != "\r":
                planted.add("line-end", name, detail="LF" if dialect.line_end == "\n" else "CR LF")
            if dialect.zone != "offset":
                planted.add("time-zone", name, detail={"none": "local times without zone", "utc": "UTC"}[dialect.zone])
            found[name] = (b"\xef\xbb\xbf" if dialect.bom else b"") + "".join(texts).encode()
    return found, pd.DataFrame(rows)
