"""The area as the build sees it."""

from carelab.synth.areas import Area
from carelab.synth.interfaces.measure import load
from carelab.synth.interfaces.traps import TRAPS
from carelab.synth.interfaces.writing import derive

AREA = Area("interfaces", derive=derive, load=load, traps=TRAPS)
