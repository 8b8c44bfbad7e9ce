"""Who read whose record in the weeks before the extract: ordinary work, and what should not have happened.

Events are rows with these columns: at (naive local time, true), user_id, patient_id, action (FHIR: R read, U update),
purpose (v3 purpose of use), site_id, system (which one wrote the entry), kind (None, or what was planted).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from carelab.synth.areas import Core, Part
from carelab.synth.scheduling.agenda import working_days
from carelab.synth.security.users import ANALYST, REGISTRY, window
from carelab.synth.staff import AT_HOSPITAL
from carelab.synth.streams import stream

COLUMNS = ["at", "user_id", "patient_id", "action", "purpose", "site_id", "system", "kind"]
AROUND_A_VISIT = pd.Timedelta(days=3)  # a reading within this of a visit or stay may be part of it


@dataclass(frozen=True)
class Scene:
    """What the readings of a panel are made of.

    visits: past visits in the window with site_id, checked_in and roomed (local; NaT if nobody came). stays: hospital
    stays with an end or a beginning in the window. consents: see `consents.make_consents`.
    """

    core: Core
    users: pd.DataFrame
    visits: pd.DataFrame
    stays: pd.DataFrame
    consents: pd.DataFrame

    def rng(self, name: str) -> np.random.Generator:
        """The panel's generator for one variable."""
        return stream(self.core.world.seed, f"security/{name}", self.core.panel.number)

    def at(self, place: str) -> list[str]:
        """Ids of the accounts with this use."""
        return self.users.loc[self.users["place"].eq(place), "user_id"].tolist()

    @property
    def clinic_id(self) -> str:
        """Home clinic of the panel."""
        return self.core.world.clinic[self.core.panel.clinic].id

    @property
    def hospital_id(self) -> str:
        """Hospital of the home clinic."""
        return self.core.world.clinic[self.core.panel.clinic].hospital


def visits_in_window(core: Core, scheduling: Part) -> pd.DataFrame:
    """Visits of the window with their site, and check-in and rooming as the scheduling system recorded them (local)."""
    visits = scheduling.frames["visits"]
    low, high = window(core.world)
    chosen = visits[visits["start"].between(low, high)].copy()
    noted: dict[str, list[str | None]] = {"checked-in-at": [], "roomed-at": []}
    for i in chosen.index:  # the feed's appointments are in the order of the agenda
        found = {e["url"].rpartition("/")[2]: e for e in scheduling.resources["Appointment"][i]["extension"]}
        for name, times in noted.items():
            times.append(found[name]["valueDateTime"] if name in found else None)
    zone = core.world.clock.time_zone
    for name, times in noted.items():
        instants = pd.to_datetime(pd.Series(times, index=chosen.index, dtype=object), utc=True)
        chosen[name.removesuffix("-at").replace("-", "_")] = instants.dt.tz_convert(zone).dt.tz_localize(None)
    clinic = core.world.clinic[core.panel.clinic]
    chosen["site_id"] = np.where(chosen["specialty"].isin(AT_HOSPITAL), clinic.hospital, clinic.id)
    return chosen.reset_index(drop=True)


def _events(at: pd.Series, user: object, patient: object, site: object, **more: object) -> pd.DataFrame:
    """Rows of events: reading for treatment unless said otherwise. All arguments are scalars or of the length of `at`."""
    frame = pd.DataFrame({"at": pd.Series(at).dt.round("s").to_numpy()})
    frame["user_id"], frame["patient_id"], frame["site_id"] = user, patient, site
    for name, usual in (("action", "R"), ("purpose", "TREAT"), ("system", None), ("kind", None)):
        frame[name] = more.get(name, usual)
    return frame[COLUMNS]


def _minutes(values: np.ndarray) -> pd.TimedeltaIndex:
    return pd.to_timedelta(np.asarray(values, dtype=float) * 60, unit="s")


def around_visits(scene: Scene, namesake: str) -> pd.DataFrame:
    """What desk, nurse and clinician read and write around each visit of the window.

    namesake: the family name whose patients the clerk of the same name checks in, rightly.
    """
    rng, visits, rates = scene.rng("visit-work"), scene.visits, scene.core.world.security
    n = len(visits)
    at_hospital = visits["site_id"].eq(scene.hospital_id).to_numpy()
    family = scene.core.records.set_index("patient_id")["family"].reindex(visits["patient_id"]).to_numpy()
    clerks = np.array(scene.at("desk"))
    desk = clerks[(rng.random(n) < 0.5).astype(int)]
    desk = np.where(rng.random(n) < rates.shared_login_share, scene.at("shared")[0], desk)
    desk = np.where(family == namesake, clerks[1], desk)
    desk = np.where(at_hospital, scene.at("hospital-desk")[0], desk)

    former = scene.users.set_index("user_id").loc[scene.at("former-nurse")[0]]
    at_clinic = np.array([*scene.at("nurse"), *scene.at("former-nurse"), *scene.at("float-nurse")])
    weekday = visits["start"].dt.weekday.to_numpy()
    there = np.ones((n, len(at_clinic)))
    there[:, 3] = visits["start"] < former["active_until"]
    there[:, 4] = weekday < 2  # the float nurse: two days at the clinic, the others at the hospital
    pick = np.argmax(there * rng.random(there.shape), axis=1)
    floats = rng.random(n) < 0.4 * (weekday >= 2)
    hospital_nurse = np.where(floats, scene.at("float-nurse")[0], scene.at("hospital-nurse")[0])
    nurse = np.where(at_hospital, hospital_nurse, at_clinic[pick])
    clinician = np.array(scene.at("clinician"))[visits["practitioner"]]

    came = visits["checked_in"].notna().to_numpy()
    seen, site = visits[came], visits["site_id"][came].to_numpy()
    patient, k = seen["patient_id"].to_numpy(), int(came.sum())
    rows = [
        _events(seen["checked_in"] + _minutes(rng.uniform(0.2, 2, k)), desk[came], patient, site, purpose="PATADMIN"),
        _events(seen["roomed"] + _minutes(rng.uniform(1, 4, k)), nurse[came], patient, site),
        _events(seen["roomed"] + _minutes(rng.uniform(6, 14, k)), clinician[came], patient, site),
        _events(seen["roomed"] + _minutes(rng.uniform(18, 40, k)), clinician[came], patient, site, action="U"),
    ]
    missed = visits[visits["status"].eq("noshow")]
    late = missed["start"] + _minutes(rng.uniform(15, 60, len(missed)))
    rows.append(
        _events(late, desk[missed.index], missed["patient_id"].to_numpy(), missed["site_id"].to_numpy(), action="U", purpose="PATADMIN")
    )  # fmt: skip
    # Some notes are finished at home, after supper.
    home = rng.random(n) < rates.home_reading_share
    evening = visits["start"].dt.normalize() + _minutes(rng.uniform(19.5 * 60, 23 * 60, n))
    ended = evening > visits["start"] + pd.Timedelta(hours=1)
    home &= came & ended.to_numpy() & (evening <= window(scene.core.world)[1]).to_numpy()
    rows.append(_events(evening[home], clinician[home], visits["patient_id"][home].to_numpy(), None, action="U"))
    return pd.concat(rows, ignore_index=True)


def around_stays(scene: Scene) -> pd.DataFrame:
    """What the hospital's people read around each stay; some emergencies open a record by break-glass."""
    stays, rng = scene.stays, scene.rng("stay-work")
    n = len(stays)
    emergency = stays["admission"].eq("emergency").to_numpy()
    glass = emergency & (rng.random(n) < scene.core.world.security.break_glass_share)
    site, patient = stays["site_id"].to_numpy(), stays["patient_id"].to_numpy()
    place = {hospital: {p: scene.at(f"{p}-{hospital}") for p in ("ward-nurse", "hospitalist", "emergency")}
             for hospital in sorted(set(site))}  # fmt: skip
    second = (rng.random(n) < 0.5).astype(int)
    doctor = [place[s]["emergency" if e else "hospitalist"][0] for s, e in zip(site, emergency, strict=True)]
    nurse = [place[s]["ward-nurse"][k] for s, k in zip(site, second, strict=True)]
    hospitalist = [place[s]["hospitalist"][0] for s in site]
    purpose = np.where(glass, "BTG", "TREAT")
    admitted, left = stays["admitted"], stays["discharged"]
    rows = [
        _events(admitted + _minutes(rng.uniform(4, 40, n)), doctor, patient, site, purpose=purpose),
        _events(admitted + _minutes(rng.uniform(90, 300, n)), nurse, patient, site),
        _events(left - _minutes(rng.uniform(30, 240, n)), hospitalist, patient, site, action="U"),
    ]
    events = pd.concat(rows, ignore_index=True)
    low, high = window(scene.core.world)
    return events[events["at"].between(low, high)]


def background(scene: Scene) -> pd.DataFrame:
    """Prior-authorization staff and the analyst's weekly report, on working days."""
    rng, (low, high) = scene.rng("office-work"), window(scene.core.world)
    days = working_days(scene.core.world)
    days = days[(days >= low) & (days < high.normalize())]
    patients = scene.core.records["patient_id"].to_numpy()
    day = pd.Series(days).repeat(2)
    office = _events(
        day + _minutes(rng.uniform(8 * 60, 16 * 60, len(day))), scene.at("pa-specialist")[0], rng.choice(patients, len(day)),
        scene.clinic_id, purpose="HPAYMT",
    )  # fmt: skip
    size = scene.core.world.security.analyst_reads
    tuesday = pd.Series(days[days.weekday == 1]).repeat(size)
    report = _events(
        tuesday + _minutes(rng.uniform(10 * 60, 10 * 60 + 12, len(tuesday))), ANALYST, rng.choice(patients, len(tuesday)),
        None, purpose="HOPERAT", system="warehouse",
    )  # fmt: skip
    return pd.concat([office, report], ignore_index=True)


def registry(scene: Scene) -> pd.DataFrame:
    """The care registry's weekly job, which goes on reading some of those who have withdrawn."""
    rng, (low, high) = scene.rng("registry-job"), window(scene.core.world)
    agreed = scene.consents[scene.consents["subject"].eq("care-registry")]
    sundays = pd.date_range(low, high, freq="W-SUN") + pd.Timedelta(hours=1, minutes=30)
    pairs = agreed.merge(pd.DataFrame({"run": sundays}), how="cross")
    withdrawn = pairs["until"] < pairs["run"]
    pairs = pairs[(pairs["from"] < pairs["run"]) & (~withdrawn | pairs["ignored"])]
    kind = np.where(pairs["until"] < pairs["run"], "revoked-consent", None)
    at = pairs["run"] + _minutes(rng.uniform(0, 20, len(pairs)))
    return _events(at, REGISTRY, pairs["patient_id"].to_numpy(), None, purpose="HRESCH", system="registry", kind=kind)


def _free_moments(
    scene: Scene, patient: str, n: int, rng: np.random.Generator, hours: tuple[float, float]
) -> pd.Series:
    """Moments on working days on which the patient has nothing to do with us."""
    low, high = window(scene.core.world)
    visits, stays = (
        scene.visits[scene.visits["patient_id"].eq(patient)],
        scene.stays[scene.stays["patient_id"].eq(patient)],
    )
    days = working_days(scene.core.world)
    days = days[(days >= low) & (days < high.normalize() - pd.Timedelta(days=5))]
    free = np.ones(len(days), dtype=bool)
    margin = AROUND_A_VISIT + pd.Timedelta(days=2)
    spans = [(start, start) for start in visits["start"]]
    spans += list(zip(stays["admitted"], stays["discharged"].fillna(high), strict=True))
    for first, last in spans:
        free &= (days < first - margin) | (days > last + margin)
    day = pd.Series(rng.choice(days[free], n)) if free.any() else pd.Series([], dtype="datetime64[ns]")
    return day + _minutes(rng.uniform(hours[0] * 60, hours[1] * 60, len(day)))


def planted(scene: Scene, relative: str, vip: str) -> pd.DataFrame:
    """What should not have happened.

    relative: record whose namesake among the nurses is curious; vip: a restricted record everybody talks about.
    """
    world, rates, rows = scene.core.world, scene.core.world.security, []
    patients = scene.core.records["patient_id"].to_numpy()
    low, high = window(world)

    rng = scene.rng("surname-snoop")
    at = _free_moments(scene, relative, int(rng.integers(*rates.surname_reads, endpoint=True)), rng, (9, 16))
    rows.append(_events(at, scene.at("nurse")[0], relative, scene.clinic_id, kind="snoop-surname"))

    rng = scene.rng("vip-snoop")
    at = _free_moments(scene, vip, rates.vip_readers, rng, (9, 16))
    curious = np.array([*scene.at("nurse")[1:], *scene.at("clinician")[:5]])
    reader = rng.permutation(curious)[: len(at)]
    said = np.where(np.arange(len(at)) % 2 == 0, "BTG", "TREAT")
    rows.append(_events(at, reader, vip, scene.clinic_id, purpose=said, kind="snoop-vip"))

    rng = scene.rng("bulk")
    some = rng.permutation(patients)[: rates.bulk_patients]
    at = pd.Timestamp(rates.bulk_at) + pd.Series(_minutes(np.sort(rng.uniform(0, 25, len(some)))))
    rows.append(_events(at, ANALYST, some, None, purpose="HOPERAT", system="warehouse", kind="bulk"))

    rng = scene.rng("former-staff")
    left = scene.users.set_index("user_id").loc[scene.at("former-nurse")[0], "active_until"]
    days = (high.normalize() - left).days
    at = left.normalize() + pd.Series(
        _minutes(
            1440 * rng.integers(1, days, rates.former_staff_reads) + rng.uniform(1080, 1380, rates.former_staff_reads)
        )
    )
    rows.append(
        _events(at, scene.at("former-nurse")[0], rng.choice(patients, len(at)), scene.clinic_id, kind="deactivated-user")
    )  # fmt: skip

    rng = scene.rng("shared-account")
    daytime = scene.visits[scene.visits["checked_in"].notna() & scene.visits["site_id"].eq(scene.clinic_id)]
    size = min(rates.shared_double_uses, len(daytime))
    here = daytime.iloc[np.sort(rng.permutation(len(daytime))[:size])]
    shared = scene.at("shared")[0]
    rows.append(
        _events(here["checked_in"] + _minutes(rng.uniform(1, 3, size)), shared, here["patient_id"].to_numpy(), scene.clinic_id, purpose="PATADMIN", kind="shared-account")
    )  # fmt: skip
    rows.append(
        _events(here["checked_in"] + _minutes(rng.uniform(3, 9, size)), shared, rng.choice(patients, size), scene.hospital_id, purpose="PATADMIN", kind="shared-account")
    )  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def make_events(scene: Scene, relative: str, vip: str, namesake: str) -> pd.DataFrame:
    """All events of a panel in the order in which they happened, with `recorded`: the time on the system's own clock."""
    world = scene.core.world
    rows = [
        around_visits(scene, namesake),
        around_stays(scene),
        background(scene),
        registry(scene),
        planted(scene, relative, vip),
    ]
    events = pd.concat([frame for frame in rows if len(frame)], ignore_index=True)
    events = events.sort_values(["at", "user_id", "patient_id"], ignore_index=True)
    events["system"] = events["system"].fillna("ehr-" + events["site_id"].fillna("portal"))
    first, last = pd.Timestamp(world.security.skew_from), pd.Timestamp(world.security.skew_until)
    slow = events["system"].eq(f"ehr-{world.security.skew_clinic}") & events["at"].between(first, last)
    events["skewed"] = slow
    events["recorded"] = events["at"] - pd.to_timedelta(np.where(slow, world.security.skew_minutes, 0), unit="min")
    return events
