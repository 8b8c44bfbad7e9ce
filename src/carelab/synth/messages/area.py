"""The area as the build sees it."""

from carelab.synth.areas import Area
from carelab.synth.messages.making import make

AREA = Area("messages", make=make, targets="messages.targets")
