"""FHIR's dates and times, which may be partial and without a zone, as spans that can be compared without guessing."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

_SHAPE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(T.+)?)?)?")
# A day begins up to 14 hours before, and ends up to 12 hours after, the same day in Greenwich.
_EAST, _WEST = timedelta(hours=14), timedelta(hours=12)
_INSTANT = timedelta(microseconds=1)


class Span(NamedTuple):
    """First and last instant that a date or time can mean: in UTC when zoned, else in a zone that is not told."""

    first: datetime
    last: datetime
    zoned: bool


@lru_cache(maxsize=65536)
def span(text: object) -> Span | None:
    """What a date or dateTime can mean, or None when it is none: the shape of times is another check's business."""
    match = _SHAPE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day, time = match.groups()
    try:
        if time:
            moment = datetime.fromisoformat(str(text))
            if moment.tzinfo is None:
                return Span(moment, moment, zoned=False)
            moment = moment.astimezone(UTC).replace(tzinfo=None)
            return Span(moment, moment, zoned=True)
        first = datetime(int(year), int(month or 1), int(day or 1))
        if day:
            after = first + timedelta(days=1)
        elif month:
            after = (first + timedelta(days=31)).replace(day=1)
        else:
            after = first.replace(year=first.year + 1)
        return Span(first, after - _INSTANT, zoned=False)
    except (ValueError, OverflowError):
        return None


def surely_before(one: object, other: object, margin: timedelta = timedelta(0)) -> bool:
    """Does one lie before the other by more than the margin, whatever zone and hour are left out?

    Two times without a zone are taken to be of the same one.
    """
    a, b = span(one), span(other)
    if a is None or b is None:
        return False
    if a.zoned != b.zoned:
        margin += _WEST if b.zoned else _EAST
    return a.last + margin < b.first
