"""Who asks, and for which day: the one filter that every search goes through."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from qdrant_client import models

from carelab.errors import UserError
from carelab.llm.passages import day_number

APPROVED = ("approved",)


@dataclass(frozen=True)
class Access:
    """What a reader may be shown: documents that name their role, in force on the day, and approved.

    role: of the person who asks, as their session has it, never as their question says it. as_of: the day that the
    question is about, a date or `2025-07-01`. payer: only this payer's documents and those of no payer, so that another's
    rules cannot answer; service: the same for a service; kind: only documents of this kind. statuses: anything but
    approved documents has to be asked for by name. Raises UserError when role or day are missing: who is not known sees
    nothing.
    """

    role: str
    as_of: date | str
    payer: str = ""
    service: str = ""
    kind: str = ""
    statuses: tuple[str, ...] = APPROVED

    def __post_init__(self) -> None:
        if not isinstance(self.role, str) or not self.role.strip():
            raise UserError("A search needs the role of the person who asks, for example role='nurse'.")
        if not self.statuses or isinstance(self.statuses, str):
            raise UserError("Give the statuses as a tuple, for example statuses=('approved', 'draft').")
        _ = self.day

    @property
    def day(self) -> int:
        """The day as a whole number, as the passages have theirs. Raises UserError when it is none."""
        try:
            return int(day_number(self.as_of if isinstance(self.as_of, date) else date.fromisoformat(self.as_of)))
        except (TypeError, ValueError) as error:
            raise UserError(
                f"A search needs the day it is about; {self.as_of!r} is none, write it as 2025-07-01."
            ) from error

    def filter(self) -> models.Filter:
        """The conditions for Qdrant; each has to hold, and a passage that lacks a field fails its condition."""
        # The conditions that sort out most stand first: the local store stops at the first that fails.
        must: list[models.Condition] = [
            _one_of(key, (getattr(self, key), "")) for key in ("service", "payer") if getattr(self, key)
        ]
        if self.kind:
            must.append(_one_of("kind", (self.kind,)))
        must += [
            models.FieldCondition(key="metadata.to_day", range=models.Range(gte=self.day)),
            models.FieldCondition(key="metadata.from_day", range=models.Range(lte=self.day)),
            _one_of("roles", (self.role,)),
            _one_of("status", self.statuses),
        ]
        return models.Filter(must=must)

    def allows(self, metadata: Mapping[str, Any]) -> bool:
        """The same in Python, for one passage's metadata: to check a result with, not to search with."""
        return (
            self.role in metadata.get("roles", ())
            and metadata.get("status") in self.statuses
            and metadata.get("from_day", self.day + 1) <= self.day <= metadata.get("to_day", 0)
            and (not self.payer or metadata.get("payer") in (self.payer, ""))
            and (not self.service or metadata.get("service") in (self.service, ""))
            and (not self.kind or metadata.get("kind") == self.kind)
        )


def _one_of(key: str, values: tuple[str, ...]) -> models.FieldCondition:
    """The field has one of these values."""
    return models.FieldCondition(key=f"metadata.{key}", match=models.MatchAny(any=list(values)))
