"""The area as the build sees it."""

from carelab.synth.areas import Area
from carelab.synth.security.calibration import MEASURES
from carelab.synth.security.log import make
from carelab.synth.security.measure import load
from carelab.synth.security.traps import TRAPS
from carelab.synth.security.users import network

AREA = Area(
    "security", make=make, network=network, load=load, targets="security.targets", measures=MEASURES, traps=TRAPS
)
