"""A panel's visits, from the agenda to resources and truth."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from carelab.synth.areas import Core, Part
from carelab.synth.config import Panel, World
from carelab.synth.patients import patient_resources
from carelab.synth.resources import RACES
from carelab.synth.scheduling.agenda import make_agenda, open_slots, working_days
from carelab.synth.scheduling.outcomes import Draws, draw_all, simulate, solve_intercept
from carelab.synth.scheduling.resources import of_patients, open_slot_resources, visit_resources
from carelab.synth.staff import staff_resources
from carelab.synth.streams import stream

VISITS_PER_PANEL = 10_000  # room in the ids


@dataclass(frozen=True)
class Prepared:
    """A panel's agenda before anybody has come or stayed away."""

    agenda: pd.DataFrame  # with appointment_id and patient_id
    draws: Draws


def prepare(core: Core) -> Prepared:
    """Everything about a panel's visits that does not depend on the intercept of the risk."""
    world, panel, records = core.world, core.panel, core.records
    agenda = make_agenda(world, panel, core.people)
    draws = draw_all(world, panel, core.people, agenda, core.weather)
    first = panel.number * VISITS_PER_PANEL
    agenda["appointment_id"] = [f"apt-{first + i:07d}" for i in range(len(agenda))]
    agenda["patient_id"] = _file(world, panel, records, agenda)
    # A second record starts with a first visit, whatever the patient says.
    double = records.loc[records["duplicate"], "patient_id"]
    agenda["new_patient"] |= agenda["patient_id"].isin(double) & ~agenda.duplicated("patient_id")
    return Prepared(agenda, draws)


def _file(world: World, panel: Panel, records: pd.DataFrame, agenda: pd.DataFrame) -> pd.Series:
    """Patient record under which each visit is filed: for people with two, some under either from a third on."""
    first = records[~records["duplicate"]].set_index("person")["patient_id"]
    second = records[records["duplicate"]].set_index("person")["patient_id"]
    filed = agenda["person"].map(first)
    double = agenda["person"].map(second)
    u = stream(world.seed, "filed-under", panel.number).random(len(agenda))
    nth = agenda.groupby("person").cumcount()
    return filed.where(double.isna() | (nth == 0) | (u >= world.people.duplicate_visit_share), double)


def solve(cores: list[Core]) -> float:
    """Intercept of the risk that gives the target's no-show rate over the given panels."""
    prepared = [prepare(core) for core in cores]
    return solve_intercept(cores[0].world, [(p.agenda, p.draws) for p in prepared])


def make(core: Core, _: Mapping[str, Part]) -> Part:
    """Staff, patients, visits and reminders of one panel, with their truth.

    frames: `visits`, one row an appointment: the agenda (person, patient_id, appointment_id, specialty, practitioner,
    start and created in local time, ...) beside the outcome (status as recorded, true_status, ...).
    """
    world, panel = core.world, core.panel
    made = prepare(core)
    outcome = simulate(world, made.agenda, made.draws, core.solved["scheduling"])
    visits = pd.concat([made.agenda, outcome], axis=1)
    settled = visits[visits["past"] & visits["status"].isin(["fulfilled", "noshow"])]
    # As the vendor computes it: over everything the record holds on the day of the extract.
    no_show_rate = settled["status"].eq("noshow").groupby(settled["patient_id"]).mean()
    resources = {
        **staff_resources(world, panel),
        **patient_resources(world, panel, core.people, core.records, no_show_rate),
        **visit_resources(world, panel, core.people, visits),
    }
    slots = open_slots(world, panel, made.agenda)
    free = open_slot_resources(world, panel, slots)
    soon = working_days(world)[working_days(world) > pd.Timestamp(world.clock.extract_at)]
    n_soon = int(slots["start"].dt.normalize().isin(soon[: world.agenda.sample_open_days]).sum())
    sample = of_patients(resources, core.sampled)
    return Part(
        resources | {"Slot": resources["Slot"] + free},
        sample | {"Slot": sample["Slot"] + free[:n_soon]},
        truth=_truth(core, visits),
        frames={"visits": visits},
    )


def _truth(core: Core, visits: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What really happened and would have happened, by appointment and by patient record.

    Probabilities are rounded to six decimals, which every machine computes alike.
    """
    came_due, panel = ~visits["cancelled"], core.panel
    received = visits["reminder"] & ~visits["failed"]
    appointments = pd.DataFrame(
        {
            "appointment_id": visits["appointment_id"],
            "person_id": [f"person-{panel.number:03d}{person:03d}" for person in visits["person"]],
            "true_status": visits["true_status"],
            "p_no_show": visits["p"].round(6),
            "p_without_reminder": visits["p_without"].round(6),
            "p_with_reminder": visits["p_with"].round(6),
            "misses_without_reminder": visits["away_without"].where(came_due).astype("boolean"),
            "misses_with_reminder": visits["away_with"].where(came_due).astype("boolean"),
            "reminder_received": received,
        }
    )
    people, person = core.people, core.records["person"]
    patients = pd.DataFrame(
        {
            "patient_id": core.records["patient_id"],
            "person_id": [f"person-{panel.number:03d}{i:03d}" for i in person],
            "duplicate": core.records["duplicate"],
            "latent_log_odds": people["latent"].to_numpy()[person].round(6),
            "visits_per_year": people["visit_rate"].to_numpy()[person].round(6),
            "true_race": people["race"].map({key: text for key, (_, text) in RACES.items()}).to_numpy()[person],
            "true_transport_need": people["transport_need"].to_numpy()[person],
        }
    )
    first = core.records[~core.records["duplicate"]].set_index("person")["patient_id"]
    second = core.records[core.records["duplicate"]].set_index("person")["patient_id"]
    pairs = pd.DataFrame({"a": first[second.index].to_numpy(), "b": second.to_numpy()}, dtype=object)
    ordered = pd.DataFrame({"patient_id": pairs.min(axis=1), "patient_id_2": pairs.max(axis=1)}, dtype=object)
    return {
        "appointments": appointments,
        "patients": patients,
        "duplicates": ordered.sort_values("patient_id", ignore_index=True),
    }
