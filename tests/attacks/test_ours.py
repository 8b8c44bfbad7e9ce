"""Every attack of the corpus on our grader: it earns nothing, learns nothing, reaches nothing and harms nobody."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from attacks import tiny
from attacks.corpus import ATTACKS, Attack, Place, submit
from attacks.ways import Ours
from carelab.grading.sandbox.isolation import available

pytestmark = pytest.mark.skipif(available() is not None, reason=str(available()))


@pytest.fixture(scope="module")
def ours() -> Iterator[Ours]:
    with Ours() as made:
        yield made


# Nothing that an ordinary wrong answer does: somebody should look, so a sentence says what it was.
ABNORMAL = {
    *(
        "exits-at-once",
        "replaces-itself",
        "patched-encode",
        "hostile-pickle",
        "token-echo",
        "unasked-frames",
    ),
    *("endless-loop", "stubborn-loop", "dead-kernel", "reply-flood", "nested", "sleep", "slow-text", "channel-closed"),
    *("channel-stuffed", "small-and-huge"),
}


@pytest.mark.parametrize("attack", [pytest.param(attack, id=attack.name) for attack in ATTACKS])
def test_an_attack_gets_nowhere(attack: Attack, ours: Ours, site: Path, place: Place, ears, tree, monkeypatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", tiny.CANARY)
    submitted = site / "course" / "submitted"
    folder = submitted / f"mallory-{attack.name}" / tiny.WEEK
    folder.parent.mkdir()
    submit(attack, site / "course" / "release" / tiny.WEEK, folder, place)
    before = tree()

    results = ours.grade(folder)

    assert sum(result.earned for result in results.values()) == 0, results
    assert not any(result.earned or result.status == "passed" for result in results.values())
    if attack.name in ABNORMAL:
        assert any(result.flag for result in results.values()), results
    assert all(result.message for result in results.values() if result.status == "failed")
    told = "\n".join(f"{r.message}\n{r.flag}\n{getattr(r, 'printed', '')}" for r in results.values())
    for word in (tiny.SECRET, tiny.CANARY, "LEAK["):
        assert word not in told
    assert len(told) < 100_000
    assert ears.heard == []
    assert tree() == before
    assert not any(Path(shared, "carelab-left").exists() for shared in ("/tmp", "/var/tmp", "/dev/shm"))
    shutil.rmtree(folder.parent)
    # Whoever comes next is not the worse for it.
    honest = ours.grade(submitted / "zoe" / tiny.WEEK)
    assert {result.status for result in honest.values()} == {"passed"}
    assert sum(result.earned for result in honest.values()) == 10


def test_without_the_sandbox_the_same_attack_is_seen(site: Path, place: Place, ears) -> None:
    """The control, with one that does no harm."""
    (attack,) = (one for one in ATTACKS if one.name == "home")
    submit(attack, site / "course" / "release" / tiny.WEEK, site / "mallory", place)
    with Ours(unsafe=True) as unsafe:
        unsafe.grade(site / "mallory")
    time.sleep(0.5)
    assert b"LEAK[home]" in b"".join(ears.heard)
