"""The committed world meets its targets, and a world that does not cannot be built."""

from dataclasses import replace

import pytest

from carelab.errors import UserError
from carelab.paths import DATA
from carelab.synth.calibration import Result, calibrate, stop_outside
from carelab.synth.config import Targets
from carelab.synth.scheduling.area import AREA as SCHEDULING
from carelab.synth.scheduling.calibration import MEASURES
from carelab.synth.scheduling.measure import Data


@pytest.fixture(scope="module")
def results(data: Data) -> list[Result]:
    return calibrate(data.world, SCHEDULING, data)


def test_every_target_is_met(results: list[Result]) -> None:
    assert [r.name for r in results] == list(MEASURES) == list(Targets.model_fields)
    assert {r.name: r.achieved for r in results if not r.within} == {}
    stop_outside(results)


def test_a_missed_target_stops_the_build(results: list[Result]) -> None:
    off = [replace(r, upper=r.achieved - 0.001) if r.name == "no_show_rate" else r for r in results]
    with pytest.raises(UserError, match=r"no_show_rate is 0\.2, not in 0\.19 to 0\.199"):
        stop_outside(off)


def test_a_model_that_guesses_misses_the_targets(data: Data) -> None:
    history = data.history.assign(missed=data.history["missed"].sample(frac=1, random_state=0).to_numpy())
    missed = {r.name for r in calibrate(data.world, SCHEDULING, replace(data, history=history)) if not r.within}
    assert {"ceiling_auc", "honest_auc", "lead_auc", "prior_rate_auc", "lead_odds_ratio", "prior_odds_ratio"} <= missed


def test_the_document_shows_what_was_measured(results: list[Result]) -> None:
    text = (DATA / "CALIBRATION.md").read_text(encoding="utf-8")
    for result in results:
        row = next(line for line in text.splitlines() if line.startswith(f"| {result.area} | {result.meaning} |"))
        assert f"| {result.achieved:.12g} |" in row
        assert result.source in row
