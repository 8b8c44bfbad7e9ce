"""The area as the build sees it."""

from carelab.synth.areas import Area
from carelab.synth.messages.calibration import MEASURES
from carelab.synth.messages.making import make
from carelab.synth.messages.measure import load
from carelab.synth.messages.traps import TRAPS

AREA = Area("messages", make=make, load=load, targets="messages.targets", measures=MEASURES, traps=TRAPS)
