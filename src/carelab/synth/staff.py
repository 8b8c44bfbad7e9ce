"""The care team of a panel."""

from carelab.fhir.read import Resource
from carelab.synth import names
from carelab.synth.config import Panel, World
from carelab.synth.resources import NETWORK, ref, resource, specialty_concept
from carelab.synth.streams import stream

# Specialists see patients at the clinic's hospital, everybody else at the clinic. Two family doctors a panel.
TEAM = (
    "family_medicine", "family_medicine", "pediatrics", "behavioral_health", "womens_health", "cardiology",
    "dermatology", "endocrinology",
)  # fmt: skip
AT_HOSPITAL = ("cardiology", "dermatology", "endocrinology")


def staff_resources(world: World, panel: Panel) -> dict[str, list[Resource]]:
    """Practitioners of a panel with their roles and schedules, in the order of TEAM."""
    clinic = world.clinic[panel.clinic]
    rng = stream(world.seed, "staff-name", panel.number)
    found: dict[str, list[Resource]] = {"Practitioner": [], "PractitionerRole": [], "Schedule": []}
    for k, specialty in enumerate(TEAM):
        number = f"{panel.number:03d}{k}"
        site = clinic.hospital if specialty in AT_HOSPITAL else clinic.id
        sex = ("female", "male")[int(rng.integers(2))]
        family = str(rng.choice(names.FIRST_PARTS)) + str(rng.choice(names.LAST_PARTS))
        name = {"family": family, "given": [str(rng.choice(names.GIVEN[sex]))], "prefix": ["Dr."]}
        practitioner, service = ref("Practitioner", f"prc-{number}"), [specialty_concept(specialty)]
        found["Practitioner"].append(
            resource(
                "Practitioner", f"prc-{number}", active=True, name=[name], gender=sex,
                # Real numbers begin with 1 or 2: this one can belong to nobody.
                identifier=[{"system": "http://hl7.org/fhir/sid/us-npi", "value": f"9{panel.number:06d}{k:03d}"}],
            )
        )  # fmt: skip
        found["PractitionerRole"].append(
            resource(
                "PractitionerRole", f"rol-{number}", active=True, practitioner=practitioner, specialty=service,
                organization={"reference": NETWORK}, location=[ref("Location", site)],
            )
        )  # fmt: skip
        found["Schedule"].append(
            resource(
                "Schedule", f"sch-{number}", active=True, serviceType=service, specialty=service,
                actor=[practitioner, ref("Location", site)],
            )
        )  # fmt: skip
    return found
