"""What a stay and the year after it cost, what that year needed, and what the billing department counts."""

import numpy as np
import pandas as pd

from carelab.synth.areas import Core
from carelab.synth.readmission.catalogue import CONDITIONS, REASONS
from carelab.synth.readmission.stays import TRANSFERRED
from carelab.synth.streams import stream


def with_costs(core: Core, people: pd.DataFrame, stays: pd.DataFrame, diagnoses: pd.DataFrame) -> pd.DataFrame:
    """Stays with `area_deprivation` (0 to 1, two decimals, by address), `cost` of the stay and `cost_year_after` (whole
    dollars; missing while unknown), `need` (of the year after: standardised true burden of illness) and
    `episode_diagnosis_count` (codes billed in the 90 days from the admission).

    Care that was needed and not reached costs nothing: in deprived areas the same need costs less.
    """
    settings, n = core.world.readmission, len(stays)

    def normal(name: str) -> np.ndarray:
        return stream(core.world.seed, f"readmission/{name}", core.panel.number).normal(0, 1, n)

    person = stays["person"].to_numpy()
    deprivation = people["deprivation"].to_numpy().round(2)[person]
    deprived = deprivation >= settings.deprived_from
    illnesses = people[list(CONDITIONS)].to_numpy().sum(axis=1)[person]
    severity = stays["severity"].to_numpy()
    need = 0.55 * stays["frailty"].to_numpy() + 0.45 * (illnesses - 2.2) + 0.35 * severity
    need += settings.deprived_need * deprived
    elective = stays["reason"].isin([name for name, reason in REASONS.items() if reason.elective]).to_numpy()
    surgery = 9000 * (stays["ward"].eq("surgery").to_numpy() | elective)
    per_night = settings.cost_per_night * np.exp(0.2 * normal("cost"))
    extract = pd.Timestamp(core.world.clock.extract_at)
    known = stays["discharged"].notna() & ~stays["twin"]
    cost = pd.Series(2800 + surgery + per_night * (stays["nights"] + 0.6), index=stays.index)
    year = np.exp(settings.cost_year_log + settings.cost_per_need * need + 0.30 * normal("cost-year"))
    year = year * np.where(deprived, settings.deprived_cost, 1.0) + 9000 * stays["returns"].astype(bool)
    whole_year = known & (stays["discharged"] + pd.Timedelta(days=365) <= extract) & stays["class"].eq("IMP")
    whole_year &= ~stays["disposition"].isin(["expired", "transfer"])
    return stays.assign(
        area_deprivation=deprivation,
        cost=cost.round().where(known),
        need=need.round(4),
        cost_year_after=pd.Series(year, index=stays.index).round().where(whole_year),
        episode_diagnosis_count=_billed(core, stays, diagnoses),
    )


def _billed(core: Core, stays: pd.DataFrame, diagnoses: pd.DataFrame) -> pd.Series:
    """Codes billed in the 90 days from the admission: those of the stay, of clinics since, and of a return."""
    settings, n = core.world.readmission, len(stays)
    rng = stream(core.world.seed, "readmission/billed", core.panel.number)
    here = diagnoses.groupby("stay_id").size().reindex(stays["stay_id"]).fillna(0).to_numpy()
    outside = rng.poisson(settings.billed_outside, n)
    again = rng.poisson(settings.billed_return, n) * (stays["returns"].astype(bool) | (stays["begins"] == TRANSFERRED))
    return pd.Series(here + outside + again.to_numpy(), index=stays.index).astype(int)
