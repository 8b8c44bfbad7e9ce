"""The area as the build sees it."""

from carelab.synth.alerts.calibration import MEASURES, ceilings
from carelab.synth.alerts.making import make
from carelab.synth.alerts.measure import load
from carelab.synth.alerts.traps import TRAPS
from carelab.synth.areas import Area

AREA = Area(
    "alerts",
    make=make,
    load=load,
    targets="alerts.targets",
    measures=MEASURES,
    traps=TRAPS,
    ceilings=ceilings,
)
