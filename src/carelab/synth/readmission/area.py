"""The area as the build sees it."""

from carelab.synth.areas import Area

AREA = Area("readmission", targets="readmission.targets")
