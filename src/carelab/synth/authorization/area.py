"""The area as the build sees it."""

from carelab.synth.areas import Area
from carelab.synth.authorization.calibration import MEASURES, ceilings
from carelab.synth.authorization.making import make, network
from carelab.synth.authorization.measure import load
from carelab.synth.authorization.traps import TRAPS

AREA = Area(
    "authorization",
    make=make,
    network=network,
    load=load,
    targets="authorization.targets",
    measures=MEASURES,
    traps=TRAPS,
    ceilings=ceilings,
)
