"""The area as the build sees it."""

from carelab.synth.areas import Area
from carelab.synth.monitoring.calibration import MEASURES, ceilings
from carelab.synth.monitoring.log import make
from carelab.synth.monitoring.measure import load
from carelab.synth.monitoring.traps import TRAPS

AREA = Area(
    "monitoring",
    make=make,
    load=load,
    targets="monitoring.targets",
    measures=MEASURES,
    traps=TRAPS,
    ceilings=ceilings,
)
