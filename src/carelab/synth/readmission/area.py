"""The area as the build sees it."""

from carelab.synth.areas import Area
from carelab.synth.readmission.making import make

AREA = Area("readmission", make=make, targets="readmission.targets")
