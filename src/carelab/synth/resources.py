"""The FHIR R4 resources of the world: what an interface engine would export, and nothing of the truth."""

from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from carelab.fhir.read import Resource
from carelab.fhir.tables.engine import EXTENSION
from carelab.synth.config import World

SYSTEM = "https://example.org/fhir/CodeSystem"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
META = {
    "security": [{"system": f"{TERMINOLOGY}/v3-ActReason", "code": "HTEST", "display": "test health data"}],
    "tag": [{"system": f"{SYSTEM}/data-origin", "code": "synthetic"}],
}
NETWORK = "Organization/lakeshore-health"
PAYERS = {
    "commercial": "Lakeshore Health Plan",
    "medicaid": "Great Lakes Community Plan",
    "medicare": "Inland Seas Advantage",
}
SPECIALTIES = {
    "family_medicine": "Family medicine", "pediatrics": "Pediatrics", "behavioral_health": "Behavioral health",
    "womens_health": "Women's health", "cardiology": "Cardiology", "dermatology": "Dermatology",
    "endocrinology": "Endocrinology",
}  # fmt: skip
RACES = {
    "white": ("2106-3", "White"),
    "black": ("2054-5", "Black or African American"),
    "asian": ("2028-9", "Asian"),
    "native": ("1002-5", "American Indian or Alaska Native"),
    "other": (None, "Other"),
}
ETHNICITIES = {True: ("2135-2", "Hispanic or Latino"), False: ("2186-5", "Not Hispanic or Latino")}
LANGUAGES = {"en": "English", "es": "Spanish", "pl": "Polish", "so": "Somali", "hmn": "Hmong"}


def concept(system: str, code: str, display: str) -> dict[str, Any]:
    """CodeableConcept with one coding of a course code system."""
    return {"coding": [{"system": f"{SYSTEM}/{system}", "code": code, "display": display}]}


def specialty_concept(specialty: str) -> dict[str, Any]:
    """CodeableConcept of a specialty, which doubles as the type of service."""
    return concept("specialty", specialty, SPECIALTIES[specialty])


def resource(kind: str, identity: str, **elements: Any) -> Resource:
    """A resource with the marks of test data; elements that are None are left out."""
    present = {name: value for name, value in elements.items() if value is not None}
    return {"resourceType": kind, "id": identity, "meta": META, **present}


def ref(kind: str, identity: str) -> dict[str, str]:
    """Reference to a resource."""
    return {"reference": f"{kind}/{identity}"}


def instants(world: World, local: pd.Series) -> list[str | None]:
    """Local clinic times as FHIR instants in UTC; None for a missing time."""
    # Clinics sleep when the clock changes, but a check-in computed around it must not stop the build.
    first = np.ones(len(local), dtype=bool)
    aware = pd.to_datetime(local).dt.tz_localize(world.clock.time_zone, ambiguous=first, nonexistent="shift_forward")
    # Ten times as fast as strftime.
    text = np.datetime_as_string(aware.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[s]"))
    return [None if value == "NaT" else f"{value}Z" for value in text.tolist()]


def network_resources(world: World) -> dict[str, list[Resource]]:
    """Organizations and locations, which all panels share."""
    organizations = [
        resource(
            "Organization", "lakeshore-health", active=True, name="Lakeshore Health",
            type=[{"coding": [{"system": f"{TERMINOLOGY}/organization-type", "code": "prov"}]}],
        )
    ]  # fmt: skip
    for payer, name in PAYERS.items():
        kind = [{"coding": [{"system": f"{TERMINOLOGY}/organization-type", "code": "pay"}]}]
        organizations.append(resource("Organization", f"payer-{payer}", active=True, name=name, type=kind))

    locations = []
    for site in world.sites:
        hospital = getattr(site, "hospital", None)
        opens = getattr(site, "opens", None)
        locations.append(
            resource(
                "Location", site.id, status="active", name=site.name, mode="instance",
                type=[concept("site-kind", "clinic", "Clinic") if hospital else concept("site-kind", "hospital", "Hospital")],
                address={"city": site.city, "postalCode": site.zip3, "country": "US"},
                managingOrganization={"reference": NETWORK},
                partOf=ref("Location", hospital) if hospital else None,
                extension=[{"url": f"{EXTENSION}/opened-on", "valueDate": opens.isoformat()}] if opens else None,
            )
        )  # fmt: skip
    by_id = itemgetter("id")
    return {"Organization": sorted(organizations, key=by_id), "Location": sorted(locations, key=by_id)}
