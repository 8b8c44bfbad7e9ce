"""The area as the build sees it."""

from carelab.synth.areas import Area
from carelab.synth.authorization.making import make, network

AREA = Area("authorization", make=make, network=network)
