"""How good is a checker? Detection of each corruption, and false alarms."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from carelab.synth.faults.planting import NONE


@dataclass(frozen=True)
class Score:
    """detection: share of a corruption's lines that were flagged at all; named: share flagged by the corruption's own
    name; false_alarms: untouched lines that were flagged; untouched: how many there are.
    """

    detection: dict[str, float]
    named: dict[str, float]
    false_alarms: list[int]
    untouched: int

    @property
    def kinds_found(self) -> int:
        """Corruptions all of whose lines were flagged."""
        return sum(share == 1 for share in self.detection.values())


def score(found: Mapping[int, Collection[str]], truth: pd.DataFrame) -> Score:
    """Grade a checker.

    found: line of corrupted.ndjson (from 1) -> names of what it found there; a line with no names counts as passed.
    truth: truth/faults.parquet. Raises ValueError for a line that the file does not have.
    """
    if strangers := found.keys() - set(truth["line"]):
        raise ValueError(f"corrupted.ndjson has no line {min(strangers)}.")
    flagged = truth["line"].map(lambda line: bool(found.get(line)))
    own = [name in found.get(line, ()) for line, name in zip(truth["line"], truth["corruption"], strict=True)]
    planted = truth["corruption"].ne(NONE)
    by_kind = truth.assign(flagged=flagged, own=own)[planted].groupby("corruption", sort=False)
    return Score(
        by_kind["flagged"].mean().to_dict(),
        by_kind["own"].mean().to_dict(),
        truth.loc[flagged & ~planted, "line"].tolist(),
        int((~planted).sum()),
    )
