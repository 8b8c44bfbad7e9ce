"""Who has an account in the record system, and what each role may do."""

import numpy as np
import pandas as pd

from carelab.synth import names
from carelab.synth.areas import Core, Network, Part
from carelab.synth.config import World
from carelab.synth.staff import AT_HOSPITAL, TEAM
from carelab.synth.streams import stream

ANALYST, REGISTRY, ENGINE = "usr-analyst", "usr-registry", "usr-engine"
SERVICES = (REGISTRY, ENGINE)

# Role -> what it is for, and SMART-like scopes.
ROLES = {
    "clinician": ("Treats patients", ("user/*.read", "user/Encounter.write", "user/ServiceRequest.write", "user/break-glass")),
    "nurse": ("Rooms and cares for patients", ("user/*.read", "user/Observation.write", "user/break-glass")),
    "front-desk": ("Books, registers, checks in", ("user/Patient.read", "user/Patient.write", "user/Appointment.read", "user/Appointment.write", "user/Coverage.read")),
    "pa-specialist": ("Prepares prior authorizations", ("user/Patient.read", "user/Coverage.read", "user/Claim.write", "user/DocumentReference.read")),
    "data-analyst": ("Quality reports, on working days", ("user/*.read",)),
    "service": ("Program without a person", ("system/*.read",)),
}  # fmt: skip

COLUMNS = [
    "user_id", "given_name", "family_name", "role", "site_id", "practitioner_id", "active_from", "active_until",
]  # fmt: skip


def window(world: World) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last local moment of the audit log."""
    last = pd.Timestamp(world.clock.extract_at)
    return last.normalize() - pd.Timedelta(days=world.security.window_days - 1), last


def make_users(core: Core, scheduling: Part, namesakes: tuple[str, str]) -> pd.DataFrame:
    """One row an account of the panel's care team; those of the whole network are listed with panel 0.

    namesakes: family names of the nurse who looks up a relative, and of the clerk who has one among the day's patients.
    Column `place` says what the account is used for and is not written.
    """
    world, panel = core.world, core.panel
    clinic = world.clinic[panel.clinic]
    low, _ = window(world)
    rng = stream(world.seed, "security/user-name", panel.number)
    rows: list[dict[str, object]] = []

    def add(number: int, place: str, role: str, site: str | None, family: str | None = None) -> None:
        # Drawn for everybody, so that a namesake shifts nobody else's name.
        drawn = str(rng.choice(names.FIRST_PARTS)) + str(rng.choice(names.LAST_PARTS))
        given = str(rng.choice(names.GIVEN[("female", "male")[int(rng.integers(2))]]))
        rows.append(
            {
                "user_id": f"usr-{panel.number:03d}{number:02d}", "given_name": given, "family_name": family or drawn,
                "role": role, "site_id": site, "place": place,
            }
        )  # fmt: skip

    for k, practitioner in enumerate(scheduling.resources["Practitioner"]):
        site = clinic.hospital if TEAM[k] in AT_HOSPITAL else clinic.id
        add(k, "clinician", "clinician", site, practitioner["name"][0]["family"])
        rows[-1] |= {"given_name": practitioner["name"][0]["given"][0], "practitioner_id": practitioner["id"]}
    for number in (8, 9):
        add(number, "desk", "front-desk", clinic.id, namesakes[1] if number == 9 else None)
    add(10, "hospital-desk", "front-desk", clinic.hospital)
    for number in (11, 12, 13):
        add(number, "nurse", "nurse", clinic.id, namesakes[0] if number == 11 else None)
    add(14, "hospital-nurse", "nurse", clinic.hospital)
    add(15, "float-nurse", "nurse", None)
    add(16, "former-nurse", "nurse", clinic.id)
    add(17, "pa-specialist", "pa-specialist", clinic.id)
    for h, hospital in enumerate(world.hospital):
        for k, place in enumerate(("ward-nurse", "ward-nurse", "hospitalist", "emergency")):
            role = "nurse" if place == "ward-nurse" else "clinician"
            add(20 + 4 * h + k, f"{place}-{hospital.id}", role, hospital.id)
    users = pd.DataFrame(rows)
    desk = {"user_id": f"usr-{panel.number:03d}99", "role": "front-desk", "site_id": clinic.id, "place": "shared"}
    shared = [desk | {"family_name": "Front Desk"}]
    if panel.number == 0:
        shared += [
            {"user_id": ANALYST, "given_name": "Joan", "family_name": "Quillmere", "role": "data-analyst", "place": "network"},
            {"user_id": REGISTRY, "family_name": "Care registry", "role": "service", "place": "network"},
            {"user_id": ENGINE, "family_name": "Interface engine", "role": "service", "place": "network"},
        ]  # fmt: skip
    users = pd.concat([users, pd.DataFrame(shared)], ignore_index=True)
    start = pd.Timestamp(world.clock.history_start)
    opens = pd.Timestamp(clinic.opens) if clinic.opens else start
    joined = stream(world.seed, "security/user-joined", panel.number).integers(0, 1500, len(users))
    users["active_from"] = opens - pd.to_timedelta(np.where(users["place"].eq("network"), 0, joined), unit="D")
    leaves = int(stream(world.seed, "security/user-left", panel.number).integers(10, 30))
    left = low + pd.Timedelta(days=leaves, hours=17)
    users["active_until"] = pd.Series(left, index=users.index).where(users["place"].eq("former-nurse"))
    for name in ("given_name", "family_name", "site_id", "practitioner_id"):
        users[name] = users[name].astype(object).where(users[name].notna(), None)
    return users


def network(_: World) -> Network:
    """The roles with their scopes, as the identity service would export them."""
    lines = ["# Roles of the record system and what each may do (SMART-like scopes).", "roles:"]
    for role, (text, scopes) in ROLES.items():
        lines += [f"  {role}:", f"    purpose: {text}", "    scopes:", *[f'      - "{scope}"' for scope in scopes]]
    lines += [
        "rules:",
        "  - Break-glass opens a restricted record in an emergency; every use is reviewed.",
        "  - Accounts are personal. Accounts of people who leave are closed the same day.",
        "  - The care registry reads records of patients who agreed, and of nobody else.",
        "",
    ]
    return Network(files={"security/roles.yaml": "\n".join(lines).encode()})
