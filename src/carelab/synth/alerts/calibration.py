"""Do alerts, deteriorations and overrides look as the literature says?"""

import pandas as pd

from carelab.synth.alerts.measure import Data, by_stay, once_a_day, peak_auc, precision_in_capacity, split
from carelab.synth.areas import Figures, Measure


def _sensitivity(data: Data) -> float:
    stays = by_stay(data)
    return float(stays.loc[stays["falls"], "in_time"].mean())


def _ppv(data: Data) -> float:
    stays = by_stay(data)
    return float((stays["falls"] & stays["in_time"]).sum() / stays["alerted"].sum())


def override_share(data: Data, kind: str) -> float:
    """Alerts of a kind that were read and not acted upon, as a share of those read."""
    read = data.alerts[(data.alerts["kind"] == kind) & data.alerts["action"].notna()]
    return float(read["action"].ne("acted").mean())


# Name of the target in world.toml -> what it means, how it is measured.
MEASURES = {
    "prevalence": Measure("stays with a deterioration", lambda d: d.stays["onset_hours"].notna().mean()),
    "auc_before_suspicion": Measure(
        "AUC of a stay's highest score before anybody suspected a deterioration", lambda d: peak_auc(d, True)
    ),
    "alerted_stays": Measure("stays with a deterioration alert", lambda d: by_stay(d)["alerted"].mean()),
    "sensitivity": Measure("deteriorating stays with an alert before suspicion and onset", _sensitivity),
    "ppv": Measure("such stays among those with an alert", _ppv),
    "override_deterioration": Measure(
        "deterioration alerts read and not acted upon", lambda d: override_share(d, "deterioration")
    ),
    "override_drug_interaction": Measure(
        "interaction alerts not acted upon", lambda d: override_share(d, "drug-interaction")
    ),
    "override_allergy": Measure("allergy alerts not acted upon", lambda d: override_share(d, "allergy")),
}


def ceilings(data: Data) -> Figures:
    """Useful visits within the nurse's capacity when the hidden state ranks the alerts: in the test period, and in all
    months, where chance weighs less."""
    earlier, later = split(data)
    found = {}
    for name, alerts in (("test_period", later), ("all_months", pd.concat([earlier, later], ignore_index=True))):
        rank = once_a_day(alerts, alerts["p_useful"].to_numpy())
        found[f"precision_in_capacity_{name}"] = precision_in_capacity(alerts, rank, data.world.alerts.capacity)
    return found
