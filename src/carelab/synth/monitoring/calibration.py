"""Do the two models in use look as the literature says, and is the quiet half year quiet?"""

from carelab.synth.areas import Figures, Measure
from carelab.synth.monitoring.measure import INPUTS, Data, auc, observed_over_expected, psi


def _quiet_psi(data: Data) -> float:
    return max(
        psi(data.baseline(model)[name], data.quiet(model)[name]) for model, names in INPUTS.items() for name in names
    )


def _infrastructure_loss(data: Data) -> float:
    rows = data.of("readmission", data.world.monitoring.quiet_until)
    losses = [auc(here, "score_mended") - auc(here) for _, here in rows.groupby("site_id")]
    return sum(losses) / len(losses)


def _first_year(data: Data, model: str) -> float:
    return float(data.of(model, until=data.world.monitoring.quiet_until)["outcome"].mean())


def _still(model: str, data: Data) -> float:
    return auc(data.of(model, until=data.world.monitoring.quiet_until))


def _calibrated(model: str, data: Data) -> float:
    return observed_over_expected(data.of(model, until=data.world.monitoring.quiet_until))


# Name of the target in world.toml -> what it means, how it is measured.
MEASURES = {
    "readmission_rate": Measure(
        "readmissions within 30 days in the log, first twelve months", lambda d: _first_year(d, "readmission")
    ),
    "no_show_rate": Measure("no-shows in the log, first twelve months", lambda d: _first_year(d, "no-show")),
    "readmission_auc": Measure("AUC of the readmission model, first twelve months", lambda d: _still("readmission", d)),
    "no_show_auc": Measure("AUC of the no-show model, first twelve months", lambda d: _still("no-show", d)),
    "readmission_calibration": Measure(
        "observed over expected readmissions, first twelve months", lambda d: _calibrated("readmission", d)
    ),
    "no_show_calibration": Measure(
        "observed over expected no-shows, first twelve months", lambda d: _calibrated("no-show", d)
    ),
    "quiet_psi": Measure("largest stability index of any input or score, quiet against first half year", _quiet_psi),
    "infrastructure_auc_loss": Measure(
        "AUC that the readmission model loses to faults of delivery in the second year, mean over the hospitals",
        _infrastructure_loss,
    ),
    "albumin_missing": Measure(
        "discharges without albumin, first twelve months",
        lambda d: d.of("readmission", until=d.world.monitoring.quiet_until)["albumin"].isna().mean(),
    ),
}


def ceilings(data: Data) -> Figures:
    """AUC of the true probability over the whole log, by model."""
    return {f"auc_{model}": auc(data.of(model), "p") for model in INPUTS}
