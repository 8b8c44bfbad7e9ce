"""FHIR's dates and times, which may be partial and without a zone, as spans that can be compared without guessing."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

_SHAPE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(T.+)?)?)?")
# A day begins up to 14 hours before, and ends up to 12 hours after, the same day in Greenwich.
_EAST, _WEST = timedelta(hours=14), timedelta(hours=12)


class Span(NamedTuple):
    """First and last instant that a date or time can mean, in UTC without saying so."""

    first: datetime
    last: datetime


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
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC).replace(tzinfo=None)
                return Span(moment, moment)
            return Span(moment - _EAST, moment + _WEST)
        first = datetime(int(year), int(month or 1), int(day or 1))
        if day:
            after = first + timedelta(days=1)
        elif month:
            after = (first + timedelta(days=31)).replace(day=1)
        else:
            after = first.replace(year=first.year + 1)
        return Span(first - _EAST, after + _WEST)
    except (ValueError, OverflowError):
        return None


def surely_before(one: object, other: object, margin: timedelta = timedelta(0)) -> bool:
    """Does one lie before the other by more than the margin, whatever zone and hour are left out?"""
    a, b = span(one), span(other)
    return a is not None and b is not None and a.last + margin < b.first
