"""The area as the build sees it."""

from carelab.synth.areas import Area
from carelab.synth.scheduling.calibration import MEASURES, ceilings
from carelab.synth.scheduling.measure import load
from carelab.synth.scheduling.traps import TRAPS
from carelab.synth.scheduling.visits import make, solve

AREA = Area(
    "scheduling",
    solve=solve,
    make=make,
    load=load,
    targets="targets",
    measures=MEASURES,
    traps=TRAPS,
    ceilings=ceilings,
)
