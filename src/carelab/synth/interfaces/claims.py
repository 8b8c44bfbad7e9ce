"""Claims for the visits in the general shape of an 837, with the disagreements that billing brings."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from carelab.synth.config import World
from carelab.synth.interfaces.hl7v2 import Planted, numbers_of
from carelab.synth.interfaces.source import Source
from carelab.synth.resources import PAYERS
from carelab.synth.streams import stream


@dataclass(frozen=True)
class Claim:
    """One claim as billed. amount: dollars; day: local date of service; sent: when it was sent (UTC)."""

    claim_id: str
    visit_id: str
    style: str
    sent: pd.Timestamp
    text: str


def make_claims(source: Source, world: World, planted: Planted) -> list[Claim]:
    """Claims of insured patients for visits that took place and stays that ended, sent before the extract."""
    rng, rates = stream(world.seed, "interfaces/claims"), world.interfaces
    kept = source.visits[source.visits["status"].eq("fulfilled")].assign(style="professional")
    ended = source.stays[source.stays["end"].notna()].assign(style="institutional")
    claims = []
    visit: Any
    for visit in pd.concat([kept, ended]).sort_values(["style", "end", "visit_id"]).itertuples():
        wait = float(rng.gamma(4.0, rates.claim_delay_days / 4))
        u, step, cut = rng.random(3), (-1, 1)[int(rng.integers(2))], float(rng.choice([10.0, 20.0, 35.0]))
        payer = source.payers.get(visit.patient_id)
        sent = (visit.end + pd.Timedelta(days=wait)).floor("s")
        if payer is None or sent > source.extract:
            continue
        claim_id = f"CLM{len(claims) + 1:04d}"
        local = [
            t.tz_localize("UTC").tz_convert(world.clock.time_zone).tz_localize(None) for t in (visit.start, visit.end)
        ]
        codes, lines = list(visit.diagnoses), [list(line) for line in visit.charges]
        if u[0] < rates.wrong_date_share:
            local = [t + pd.Timedelta(days=step) for t in local]
            planted.add("claim-date", claim_id, visit.visit_id, f"{step:+d} day")
        if u[1] < rates.wrong_amount_share:
            lines[0][2] -= cut
            planted.add("claim-amount", claim_id, visit.visit_id, f"{-cut:+.2f} dollars")
        if u[2] < rates.wrong_order_share and len(codes) > 1:
            codes[0], codes[1] = codes[1], codes[0]
            planted.add("claim-diagnosis-order", claim_id, visit.visit_id, f"{codes[0]} first")
        claims.append(
            Claim(
                claim_id,
                visit.visit_id,
                visit.style,
                sent,
                _segments(source, visit, claim_id, payer, local, codes, lines),
            )
        )
    return claims


def _segments(
    source: Source,
    visit: Any,
    claim_id: str,
    payer: str,
    local: list[pd.Timestamp],
    codes: list[str],
    lines: list[list[Any]],
) -> str:
    """The claim, one segment a line."""
    patient = source.patients[visit.patient_id]
    mrn = next(number for number in numbers_of(patient) if number)
    name, total = patient["name"][0], sum(line[2] for line in lines)
    days = f"{local[0]:%Y%m%d}" + (f"-{local[1]:%Y%m%d}" if visit.style == "institutional" else "")
    service = "SV1" if visit.style == "professional" else "SV2"
    segments = [
        f"NM1*PROVIDER*2*LAKESHORE HEALTH*****SITE*{visit.site_id.upper()}",
        f"NM1*PAYER*2*{PAYERS[payer].upper()}",
        f"NM1*PATIENT*1*{name['family'].upper()}*{name['given'][0].upper()}****MRN*{mrn}",
        f"DMG*D8*{patient['birthDate'].replace('-', '')}*{patient['gender'][0].upper()}",
        f"CLM*{claim_id}*{total:.2f}",
        f"REF*VISIT*{visit.visit_id}",
        f"DTP*SERVICE*{days}",
        "HI*" + "*".join(f"ICD10CM:{code.replace('.', '')}" for code in codes),
    ]
    for i, (code, units, amount) in enumerate(lines, start=1):
        system = "COURSE" if code.startswith("SVC") else "HCPCS"
        segments += [f"LX*{i}", f"{service}*{system}:{code}*{amount:.2f}*UN*{units}"]
    return "".join(f"{segment}~\n" for segment in segments)


def claim_files(claims: list[Claim]) -> dict[str, bytes]:
    """One file a style, claims in the order of sending."""
    found = {}
    for style, mark in (("professional", "P"), ("institutional", "I")):
        mine = sorted((c for c in claims if c.style == style), key=lambda c: (c.sent, c.claim_id))
        if not mine:
            continue
        head = f"ISA*LAKESHORE*CLEARINGHOUSE*TEST~\nGS*{mark}*LAKESHORE*CLEARINGHOUSE~\n"
        sets = []
        for number, claim in enumerate(mine, start=1):
            size = claim.text.count("~") + 3
            start = f"ST*837*{number:04d}~\nBHT*{claim.claim_id}*{claim.sent:%Y%m%d}~\n"
            sets.append(f"{start}{claim.text}SE*{size}*{number:04d}~\n")
        found[f"claims/{style}.txt"] = (head + "".join(sets) + f"GE*{len(mine)}~\nIEA*1~\n").encode()
    return found
