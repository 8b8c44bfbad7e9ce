"""Deaths, record numbers of a group taken over, and open times; and that they changed nothing that was there before."""

import hashlib

import pandas as pd
import pytest

from carelab.fhir import flatten
from carelab.fhir.read import Resource
from carelab.fhir.validate import validate
from carelab.paths import DATA
from carelab.synth.areas import Core, Part
from carelab.synth.building import write_ndjson
from carelab.synth.config import World, panels
from carelab.synth.panel import make_core
from carelab.synth.patients import former_numbers
from carelab.synth.resources import network_resources
from carelab.synth.scheduling.agenda import open_slots, working_days
from carelab.synth.scheduling.visits import make, solve

# Of the release before these additions.
UNCHANGED = {
    "tables/visits.parquet": "95fcfad8b3617a1889c32a896630c51acc265beb3cf4f54a6cf7d7efe87bd36c",
    "fhir/Appointment.ndjson": "d9568c92119278845042058252b138423d240fc6328796f738f6452083ca075e",
}
TAKEN_OVER = 8  # a panel of a clinic whose hospital belonged to another group


@pytest.fixture(scope="module")
def cores(world: World) -> list[Core]:
    return [make_core(world, panel) for panel in panels(world)]


@pytest.fixture(scope="module")
def made(world: World, cores: list[Core]) -> tuple[Core, Part]:
    solved = {"scheduling": solve(cores)}
    core = make_core(world, panels(world)[TAKEN_OVER], solved)
    return core, make(core, {})


@pytest.fixture(scope="module")
def patients(world: World, made: tuple[Core, Part], tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The panel's table of patients, from its feed."""
    folder = tmp_path_factory.mktemp("feed")
    for kind, found in {**network_resources(world), **made[1].resources}.items():
        write_ndjson(folder / f"{kind}.ndjson", found)
    weather = pd.DataFrame(made[0].weather)
    weather.to_csv(folder / "weather.csv", index=False, date_format="%Y-%m-%d")
    return flatten("patients", folder)


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_was_there_is_as_it_was(name: str) -> None:
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == UNCHANGED[name]


def test_nobody_visits_after_death(made: tuple[Core, Part], patients: pd.DataFrame, world: World) -> None:
    visits = made[1].frames["visits"].merge(patients[["patient_id", "deceased_on", "birth_date"]], on="patient_id")
    died = patients["deceased_on"].dropna()
    assert len(died) >= 1
    assert (visits["start"].dt.normalize() < visits["deceased_on"]).loc[visits["deceased_on"].notna()].all()
    assert (died > patients["birth_date"].loc[died.index]).all()
    assert died.max() <= pd.Timestamp(world.clock.extract_at)


def test_deaths_end_a_time_under_care(cores: list[Core], world: World) -> None:
    people = pd.concat([core.people for core in cores])
    died = people[people["deceased_on"].notna()]
    assert (died["deceased_on"] > died["left"]).all()  # and the agenda holds nothing after `left`
    assert (died["age_group"] == "elder").mean() > 0.7


def test_the_mrn_is_taken_by_its_system(made: tuple[Core, Part], patients: pd.DataFrame) -> None:
    assert patients["mrn"].str.fullmatch(r"LH\d{6}").all()
    assert patients["mrn"].is_unique
    former = patients["former_mrn"].dropna()
    assert former.str.fullmatch(r"P-\d{3}-\d{3}").all()
    assert 0.3 < len(former) / len(patients) < 0.75
    first = [patient["identifier"][0]["value"] for patient in made[1].resources["Patient"]]
    # Taking the first in the list would be wrong for these.
    assert 0.1 < sum(value.startswith("P-") for value in first) / len(former) < 0.5


def test_only_the_group_taken_over_had_numbers_of_its_own(cores: list[Core], world: World) -> None:
    for core in cores:
        clinic = world.clinic[core.panel.clinic]
        numbers = former_numbers(world, core.panel, core.people, core.records)["former_number"].dropna()
        assert numbers.empty == (clinic.hospital != "hosp-3" or clinic.opens is not None), clinic.id


def test_open_times_are_free_ahead_and_within_opening_hours(made: tuple[Core, Part], world: World) -> None:
    core, part = made
    free: list[Resource] = [slot for slot in part.resources["Slot"] if slot["id"].startswith("sltf-")]
    assert len(free) > 50
    assert [slot["id"] for slot in part.resources["Slot"]] == sorted(slot["id"] for slot in part.resources["Slot"])
    assert all(validate(slot) == [] for slot in free)
    booked = {
        (slot["schedule"]["reference"], slot["start"])
        for slot in part.resources["Slot"]
        if slot not in free and slot["status"] == "busy"
    }
    assert not booked & {(slot["schedule"]["reference"], slot["start"]) for slot in free}
    start = pd.to_datetime([slot["start"] for slot in free]).tz_convert(world.clock.time_zone).tz_localize(None)
    ahead = working_days(world)[working_days(world) > pd.Timestamp(world.clock.extract_at)]
    assert set(start.normalize()) <= set(ahead)
    evening = world.clinic[core.panel.clinic].evening
    assert all(hour < 17 or weekday in evening for hour, weekday in zip(start.hour, start.weekday, strict=True))
    shown = [slot for slot in part.sample["Slot"] if slot["id"].startswith("sltf-")]
    assert shown == free[: len(shown)]
    assert 5 <= len(shown) <= 40
    assert {s["start"][:10] for s in shown} <= {f"{day:%Y-%m-%d}" for day in ahead[: world.agenda.sample_open_days + 1]}


def test_a_booked_time_is_never_offered(made: tuple[Core, Part], world: World) -> None:
    """Were every unbooked time offered, offers and bookings together would be the whole agenda."""
    core, part = made
    everything = world.model_copy(update={"agenda": world.agenda.model_copy(update={"open_slot_share": 1.0})})
    agenda = part.frames["visits"]
    ahead = agenda[agenda["start"] > pd.Timestamp(world.clock.extract_at)]
    offered = open_slots(everything, core.panel, agenda)
    without = open_slots(everything, core.panel, agenda.iloc[:0])
    assert len(without) - len(offered) == len(ahead)


def test_the_committed_tables_hold_them() -> None:
    patients = pd.read_parquet(DATA / "tables" / "patients.parquet")
    assert list(patients.columns[-2:]) == ["deceased_on", "former_mrn"]
    assert 0.015 <= patients["deceased_on"].notna().mean() <= 0.03
