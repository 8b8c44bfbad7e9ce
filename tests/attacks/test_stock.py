"""The attacks are alive: plain nbgrader falls for them. Without this, a corpus that does nothing would look like a safe grader."""

from __future__ import annotations

from pathlib import Path

import pytest

from attacks import stock
from attacks.corpus import ATTACKS

pytestmark = pytest.mark.skipif(bool(stock.missing()), reason=stock.missing())

ALIVE = {"drop-asserts": "raised", "input-transformer": "raised", "hidden-from-work": "leaked", "socket": "harmed"}


def test_plain_nbgrader_falls_for_them(tmp_path: Path) -> None:
    stock.prepare(tmp_path / "base")
    chosen = {one.name: one for one in ATTACKS if one.name in ALIVE}
    outcomes = stock.run(chosen, tmp_path / "base", tmp_path / "site")
    for name, how in ALIVE.items():
        assert getattr(outcomes[name], how), (name, outcomes[name], (tmp_path / "site" / "log.txt").read_text()[-3000:])
    # Its limits hold for points that are only said to be more.
    assert outcomes["hidden-from-work"].score == 0
