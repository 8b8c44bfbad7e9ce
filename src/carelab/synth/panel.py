"""One panel from configuration to resources and truth: the unit of work of a build."""

from dataclasses import dataclass

import pandas as pd

from carelab.fhir.read import Resource
from carelab.synth.agenda import make_agenda
from carelab.synth.config import Panel, World
from carelab.synth.outcomes import Draws, draw_all, simulate, solve_intercept
from carelab.synth.people import make_people, make_records
from carelab.synth.resources import RACES, of_patients, patient_resources, staff_resources, visit_resources
from carelab.synth.streams import stream
from carelab.synth.weather import make_weather

VISITS_PER_PANEL = 10_000  # room in the ids


@dataclass(frozen=True)
class Prepared:
    """A panel before anybody has come or stayed away. Frames as made by `people` and `agenda`."""

    people: pd.DataFrame
    records: pd.DataFrame
    agenda: pd.DataFrame  # with appointment_id and patient_id
    draws: Draws


@dataclass(frozen=True)
class Built:
    """A finished panel: resources by type, each sorted by id; the sample's part of them; truth tables by name."""

    resources: dict[str, list[Resource]]
    sample: dict[str, list[Resource]]
    truth: dict[str, pd.DataFrame]


def prepare(world: World, panel: Panel, weather: pd.DataFrame) -> Prepared:
    """Everything about a panel that does not depend on the intercept of the risk."""
    people = make_people(world, panel)
    records = make_records(world, panel, people)
    agenda = make_agenda(world, panel, people)
    draws = draw_all(world, panel, people, agenda, weather)
    first = panel.number * VISITS_PER_PANEL
    agenda["appointment_id"] = [f"apt-{first + i:07d}" for i in range(len(agenda))]
    agenda["patient_id"] = _file(world, panel, records, agenda)
    # A second record starts with a first visit, whatever the patient says.
    double = records.loc[records["duplicate"], "patient_id"]
    agenda["new_patient"] |= agenda["patient_id"].isin(double) & ~agenda.duplicated("patient_id")
    return Prepared(people, records, agenda, draws)


def _file(world: World, panel: Panel, records: pd.DataFrame, agenda: pd.DataFrame) -> pd.Series:
    """Patient record under which each visit is filed: for people with two, some under either from a third on."""
    first = records[~records["duplicate"]].set_index("person")["patient_id"]
    second = records[records["duplicate"]].set_index("person")["patient_id"]
    filed = agenda["person"].map(first)
    double = agenda["person"].map(second)
    u = stream(world.seed, "filed-under", panel.number).random(len(agenda))
    nth = agenda.groupby("person").cumcount()
    return filed.where(double.isna() | (nth == 0) | (u >= world.people.duplicate_visit_share), double)


def intercept_of(world: World, panels: list[Panel]) -> float:
    """Intercept of the risk that gives the target's no-show rate over the given panels."""
    weather = make_weather(world)
    prepared = [prepare(world, panel, weather) for panel in panels]
    return solve_intercept(world, [(p.agenda, p.draws) for p in prepared])


def make_panel(world: World, panel: Panel, intercept: float, weather: pd.DataFrame) -> Built:
    """Resources and truth of one panel."""
    made = prepare(world, panel, weather)
    outcome = simulate(world, made.agenda, made.draws, intercept)
    visits = pd.concat([made.agenda, outcome], axis=1)
    settled = visits[visits["past"] & visits["status"].isin(["fulfilled", "noshow"])]
    # As the vendor computes it: over everything the record holds on the day of the extract.
    no_show_rate = settled["status"].eq("noshow").groupby(settled["patient_id"]).mean()
    resources = {
        **staff_resources(world, panel),
        **patient_resources(world, panel, made.people, made.records, no_show_rate),
        **visit_resources(world, panel, made.people, visits),
    }
    sample = of_patients(resources, made.records["patient_id"].head(world.sample_per_panel))
    return Built(resources, sample, _truth(panel, made, visits))


def _truth(panel: Panel, made: Prepared, visits: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What really happened and would have happened, by appointment and by patient record.

    Probabilities are rounded to six decimals, which every machine computes alike.
    """
    came_due = ~visits["cancelled"]
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
    person = made.records["person"]
    patients = pd.DataFrame(
        {
            "patient_id": made.records["patient_id"],
            "person_id": [f"person-{panel.number:03d}{i:03d}" for i in person],
            "duplicate": made.records["duplicate"],
            "latent_log_odds": made.people["latent"].to_numpy()[person].round(6),
            "visits_per_year": made.people["visit_rate"].to_numpy()[person].round(6),
            "true_race": made.people["race"].map({key: text for key, (_, text) in RACES.items()}).to_numpy()[person],
            "true_transport_need": made.people["transport_need"].to_numpy()[person],
        }
    )
    return {"appointments": appointments, "patients": patients}
