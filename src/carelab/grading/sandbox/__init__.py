"""Run what students wrote where it can harm nothing: the only way in and out is one reply for each request."""

from carelab.grading.sandbox.client import AnswerSession, Sandbox
from carelab.grading.sandbox.frames import Died, Flooded, Garbled, TimedOut
from carelab.grading.sandbox.isolation import available
from carelab.grading.sandbox.limits import Limits

__all__ = ["AnswerSession", "Died", "Flooded", "Garbled", "Limits", "Sandbox", "TimedOut", "available"]
