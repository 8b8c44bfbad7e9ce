"""What patients agreed to or ruled out: reading by the care registry, and restricted records."""

import numpy as np
import pandas as pd

from carelab.synth.areas import Core
from carelab.synth.security.users import window
from carelab.synth.streams import stream


def make_consents(core: Core) -> pd.DataFrame:
    """One row a consent: patient_id, subject (care-registry or restricted-record), from, until (local; NaT while in
    force), and ignored: whether the registry goes on reading after a withdrawal. Sorted by patient.
    """
    rates, number = core.world.security, core.panel.number
    rng = stream(core.world.seed, "security/consent", number)
    low, high = window(core.world)
    patients = core.records["patient_id"]
    n = len(patients)
    agreed = rng.random(n) < rates.registry_share
    asked = low - pd.to_timedelta(rng.uniform(30, 400, n).round(), unit="D") + pd.Timedelta(hours=10)
    withdrawn = rng.random(n) < rates.revoked_share
    day = low + pd.to_timedelta(np.floor(rng.uniform(5, rates.window_days - 12, n)), unit="D") + pd.Timedelta(hours=14)
    ignored = rng.random(n) < rates.ignored_share
    restricted = stream(core.world.seed, "security/restricted", number).random(n) < rates.restricted_share
    restricted[0] = True  # somebody in every panel, and in the sample, is well known
    frame = pd.DataFrame({"patient_id": patients, "from": asked, "until": pd.Series(day).where(withdrawn)})
    registry = frame[agreed].assign(subject="care-registry", ignored=(ignored & withdrawn)[agreed])
    closed = frame[restricted].assign(subject="restricted-record", ignored=False, until=pd.NaT)
    return pd.concat([registry, closed]).sort_values(["patient_id", "subject"], ignore_index=True)
