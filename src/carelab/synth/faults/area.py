"""The area as the build sees it."""

from carelab.synth.areas import Area
from carelab.synth.faults.planting import derive
from carelab.synth.faults.traps import TRAPS, load

AREA = Area("faults", derive=derive, load=load, traps=TRAPS)
