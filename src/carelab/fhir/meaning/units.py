"""Is this a unit of UCUM? A small reading of its grammar with the units that health records use.

Grammar: units joined by `.` and `/`, each with an optional prefix and exponent, `{annotations}` and brackets. A unit is
case-sensitive: `mg/dL` and `mg/dl` are both right (l and L are the litre), `MG/DL` is not.
"""

import re
from functools import lru_cache

_PREFIX = "Y Z E P T G M k h da d c m u n p f a z y".split()
_METRIC = (
    "m g s L l mol eq osm Pa J W V A K Hz N C F H Ohm S Wb T lm lx cd Bq Gy Sv kat U [IU] [iU] Cel cal bar eV u t Ci "
    "m[Hg] m[H2O] By bit B G dyn erg P St R RAD REM [g] rad sr"
).split()
_FIXED = (
    "% 10* 10^ [pi] [ppth] [ppm] [ppb] [pptr] min h d wk mo mo_j mo_g mo_s a a_j a_g a_t deg ' '' "
    "[in_i] [ft_i] [yd_i] [mi_i] [nmi_i] [sin_i] [sft_i] [cin_i] [cft_i] [lb_av] [oz_av] [stone_av] [gr] [dr_av] "
    "[fl_us] [foz_us] [fdr_us] [cup_us] [tbs_us] [tsp_us] [pt_us] [qt_us] [gal_us] [degF] [degR] [Cal] [psi] "
    "[pH] [PFU] [CFU] [FFU] [TCID_50] [EID_50] [LD_50] [HPF] [LPF] [drp] [diop] [p'diop] [Ch] [hnsf'U] [MET] [PRU] "
    "[arb'U] [USP'U] [GPL'U] [MPL'U] [APL'U] [beth'U] [todd'U] [dye'U] [bdsk'U] [ka'U] [knk'U] [mclg'U] [tb'U] "
    "[Amb'a'1'U] [D'ag'U] [anti'Xa'U] [AU] [BAU] [smgy'U] [S] [Lf] [car_m] [car_Au] [ly] [pc] B[SPL] [k] [m/s2/Hz^0.5]"
).split()
_UNITS = frozenset((*_FIXED, *_METRIC, *(prefix + unit for prefix in _PREFIX for unit in _METRIC)))

_ANNOTATION = re.compile(r"\{[!-z|~]*\}")
_FACTOR = re.compile(r"[0-9]+")
_UNIT = re.compile(r"(?:10[*^]|(?:[A-Za-z%'_]|\[[^\[\]]+\])+)")
_EXPONENT = re.compile(r"[+-]?[0-9]+")

# Written often, not UCUM or not what is meant: what UCUM has instead.
MEANT = {
    "pH": "[pH]",  # read by the grammar, it is the picohenry
    "K/uL": "10*3/uL",  # and this the kelvin per microlitre
    "M/uL": "10*6/uL", "K/mm3": "10*3/mm3", "M/mm3": "10*6/mm3", "x10E3/uL": "10*3/uL",
    "10E3/uL": "10*3/uL", "IU/L": "[IU]/L", "IU/mL": "[IU]/mL", "mIU/L": "m[IU]/L", "uIU/mL": "u[IU]/mL", "IU": "[IU]",
    "mmHg": "mm[Hg]", "cmH2O": "cm[H2O]", "mcg": "ug", "mcg/mL": "ug/mL", "mcg/dL": "ug/dL", "cc": "mL", "degF": "[degF]",
    "F": "[degF]", "lb": "[lb_av]", "lbs": "[lb_av]", "in": "[in_i]", "ft": "[ft_i]", "bpm": "/min", "mEq/L": "meq/L",
    "mgs/dl": "mg/dL", "mg/dl.": "mg/dL", "gm/dL": "g/dL", "gm": "g", "sec": "s", "hr": "h", "hrs": "h", "days": "d",
    "years": "a", "yr": "a", "score": "{score}", "(score)": "{score}",
}  # fmt: skip
_WRONG_THOUGH_READABLE = {"pH", "K/uL"}


@lru_cache(maxsize=4096)
def is_ucum(code: str) -> bool:
    """Does UCUM have this unit? Only the units above are known: a rare one may be taken for wrong."""
    if code in _WRONG_THOUGH_READABLE or not code or not code.isascii():
        return False
    return _term(code, 0) == len(code)


def _term(text: str, at: int) -> int:
    """Where the units from `at` on end, or -1 when there are none."""
    if text.startswith("/", at):
        at += 1
    at = _component(text, at)
    while 0 < at < len(text) and text[at] in "./":
        at = _component(text, at + 1)
    return at


def _component(text: str, at: int) -> int:
    """One unit with prefix, exponent and annotation, an annotation alone, a number, or a bracket."""
    if text.startswith("(", at):
        at = _term(text, at + 1)
        return at + 1 if at > 0 and text.startswith(")", at) else -1
    if found := _ANNOTATION.match(text, at):
        return found.end()
    if (found := _UNIT.match(text, at)) and found.group() in _UNITS:
        at = found.end()
        if exponent := _EXPONENT.match(text, at):
            at = exponent.end()
    elif found := _FACTOR.match(text, at):
        at = found.end()
    else:
        return -1
    annotation = _ANNOTATION.match(text, at)
    return annotation.end() if annotation else at
