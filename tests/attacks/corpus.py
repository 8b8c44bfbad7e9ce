"""All attacks. The list is no bar: a grader that stops exactly these stops nothing.

What no grader can tell from work is not in it: an answer that knows the examples everybody can see, and is right only there,
earns what those checks give it (`memorise` shows that a hidden case is enough), and a solution got from somebody else is a
solution. What an answer can learn from the time of a call, or from the inputs it is called with, ends with its process, but for
what its own error messages say (`inputs`).
"""

from attacks import harming, reaching, scoring, stealing
from attacks.attack import Attack, Place, submit

ATTACKS: list[Attack] = [*scoring.ATTACKS, *stealing.ATTACKS, *reaching.ATTACKS, *harming.ATTACKS]

__all__ = ["ATTACKS", "Attack", "Place", "submit"]
