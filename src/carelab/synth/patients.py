"""Patient records as FHIR R4, with coverage and what the problem list says."""

from typing import Any

import numpy as np
import pandas as pd

from carelab.fhir.read import Resource
from carelab.fhir.tables.engine import EXTENSION, SID, US_CORE
from carelab.synth.config import Panel, World
from carelab.synth.resources import ETHNICITIES, LANGUAGES, NETWORK, PAYERS, RACES, TERMINOLOGY, concept, ref, resource
from carelab.synth.streams import stream


def _omb(name: str, code: str | None, text: str) -> Resource:
    """US Core race or ethnicity extension; a category outside the list of the OMB is text only."""
    coding = {"system": "urn:oid:2.16.840.1.113883.6.238", "code": code, "display": text}
    category = [{"url": "ombCategory", "valueCoding": coding}] if code else []
    return {"url": f"{US_CORE}/{name}", "extension": [*category, {"url": "text", "valueString": text}]}


def former_numbers(world: World, panel: Panel, people: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Numbers that a hospital group taken over had given to some of its patients, one row a record, as in `records`.

    Columns: former_number (such as P-009-041; None without one), former_first (it stands before the network's own).
    The old series counts from zero as the network's does, so that only the system tells equal digits apart.
    """
    rates, n = world.people, panel.size

    def draw(name: str) -> np.random.Generator:
        return stream(world.seed, name, panel.number)

    hospital = next(h for h in world.hospital if h.id == world.clinic[panel.clinic].hospital)
    known = ~people["new"].to_numpy() & (hospital.former_group is not None)
    has = known & (draw("former-number").random(n) < rates.former_number_share)
    number = draw("former-number-order").permutation(n)
    first = draw("former-number-first").random(n) < rates.former_number_first
    copied = draw("former-number-copied").random(n) < rates.former_number_on_double
    person = records["person"].to_numpy()
    shown = has[person] & (~records["duplicate"].to_numpy() | copied[person])
    text = [f"P-{panel.number:03d}-{i:03d}" if shows else None for i, shows in zip(number[person], shown, strict=True)]
    return pd.DataFrame(
        {"former_number": text, "former_first": shown & first[person]}, index=records.index, dtype=object
    )


def patient_resources(
    world: World, panel: Panel, people: pd.DataFrame, records: pd.DataFrame, no_show_rate: pd.Series
) -> dict[str, list[Resource]]:
    """Patients with coverage and recorded transport need, one Patient a record, in the order of the ids.

    no_show_rate: the vendor's rate (0 to 1) by patient_id; no extension where it is missing.
    """
    clinic = world.clinic[panel.clinic]
    phones = stream(world.seed, "phone", panel.number).integers(100, 200, panel.size)  # a person's, on both records
    others = stream(world.seed, "other-language", panel.number).choice(["pl", "so", "hmn"], panel.size)
    found: dict[str, list[Resource]] = {"Patient": [], "Coverage": [], "Condition": []}
    traits = people.drop(columns=["given", "family", "birth_date"])  # a record has its own, perhaps mistaken
    former = former_numbers(world, panel, people, records)
    record: Any
    for record in records.join(traits, on="person").join(former).itertuples():
        identifiers = [{"system": f"{SID}/mrn", "value": f"LH{record.patient_id.removeprefix('pat-')}"}]
        if record.former_number:
            old = {"system": f"{SID}/prairie-number", "value": record.former_number}
            identifiers.insert(0 if record.former_first else 1, old)
        # The death was entered on the first record; nobody thought of the double.
        died = None if record.duplicate or pd.isna(record.deceased_on) else record.deceased_on.strftime("%Y-%m-%d")
        number = record.patient_id.removeprefix("pat-")
        extensions = []
        if not record.race_missing:
            extensions.append(_omb("us-core-race", *RACES[record.race]))
            extensions.append(_omb("us-core-ethnicity", *ETHNICITIES[bool(record.hispanic)]))
        extensions.append({"url": f"{EXTENSION}/home-clinic", "valueReference": ref("Location", clinic.id)})
        rate = no_show_rate.get(record.patient_id)
        if rate is not None and not np.isnan(rate):
            extensions.append({"url": f"{EXTENSION}/no-show-rate", "valueDecimal": round(float(rate), 2)})
        spoken = others[record.person] if record.language == "other" else record.language
        language = {"coding": [{"system": "urn:ietf:bcp:47", "code": str(spoken), "display": LANGUAGES[str(spoken)]}]}
        mail = f"{record.given}.{record.family}.{number}@example.org".lower()
        found["Patient"].append(
            resource(
                "Patient", record.patient_id, extension=extensions, active=True,
                identifier=identifiers,
                name=[{"use": "official", "family": record.family, "given": [record.given]}],
                telecom=[
                    {"system": "phone", "value": f"555-0{phones[record.person]}", "use": "mobile"},
                    {"system": "email", "value": mail},
                ],
                gender=record.sex, birthDate=record.birth_date.strftime("%Y-%m-%d"),
                deceasedDateTime=died,
                address=[{"use": "home", "city": clinic.city, "postalCode": clinic.zip3, "country": "US"}],
                communication=[{"language": language, "preferred": True}],
                managingOrganization={"reference": NETWORK},
            )
        )  # fmt: skip
        subject = ref("Patient", record.patient_id)
        if record.payer in PAYERS:
            found["Coverage"].append(
                resource(
                    "Coverage", f"cov-{number}", status="active", beneficiary=subject,
                    type=concept("payer-class", record.payer, record.payer.title()),
                    payor=[ref("Organization", f"payer-{record.payer}")],
                )
            )  # fmt: skip
        # The nurse who noted the need opened the first record, not the double.
        if pd.notna(record.transport_recorded_on) and not record.duplicate:
            found["Condition"].append(
                resource(
                    "Condition", f"cnd-{number}", subject=subject,
                    clinicalStatus={"coding": [{"system": f"{TERMINOLOGY}/condition-clinical", "code": "active"}]},
                    verificationStatus={"coding": [{"system": f"{TERMINOLOGY}/condition-ver-status", "code": "confirmed"}]},
                    category=[{"coding": [{
                        "system": "http://hl7.org/fhir/us/core/CodeSystem/condition-category", "code": "health-concern",
                    }]}],
                    code={"coding": [{
                        "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "Z59.82",
                        "display": "Transportation insecurity",
                    }]},
                    recordedDate=record.transport_recorded_on.strftime("%Y-%m-%d"),
                )
            )  # fmt: skip
    return found
