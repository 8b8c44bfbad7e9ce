"""All attacks. The list is no bar: a grader that stops exactly these stops nothing."""

from attacks import harming, reaching, scoring, stealing
from attacks.attack import Attack, Place, submit

ATTACKS: list[Attack] = [*scoring.ATTACKS, *stealing.ATTACKS, *reaching.ATTACKS, *harming.ATTACKS]

__all__ = ["ATTACKS", "Attack", "Place", "submit"]
