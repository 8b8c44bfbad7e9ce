"""The area as the build sees it."""

from carelab.synth.areas import Area
from carelab.synth.readmission.calibration import MEASURES, ceilings
from carelab.synth.readmission.making import make
from carelab.synth.readmission.measure import load
from carelab.synth.readmission.traps import TRAPS

AREA = Area(
    "readmission",
    make=make,
    load=load,
    targets="readmission.targets",
    measures=MEASURES,
    traps=TRAPS,
    ceilings=ceilings,
)
