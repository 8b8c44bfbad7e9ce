"""World, panels and random streams."""

import re
from importlib.resources import files

import numpy as np
import pytest
from pydantic import ValidationError

from carelab.errors import UserError
from carelab.synth.config import World, load_sources, panels, parse_world
from carelab.synth.streams import stream

TEXT = files("carelab.synth").joinpath("world.toml").read_text(encoding="utf-8")


def test_every_rate_names_its_source(world: World) -> None:
    sources = load_sources()
    sections = {name for name in World.model_fields if name not in ("hospital", "clinic")}
    assert {path.split(".")[0] for path in sources} == sections
    assert all(len(source) >= len("design choice") for source in sources.values())


def test_a_rate_without_a_source_is_refused() -> None:
    bare = re.sub(r"^seed = .*$", "seed = 7", TEXT, flags=re.MULTILINE)
    with pytest.raises(UserError, match="`seed` has no source"):
        parse_world(bare)


def test_a_misspelt_rate_is_refused() -> None:
    with pytest.raises(ValidationError, match="medicade"):
        parse_world(TEXT.replace("\nmedicaid = ", "\nmedicade = "))


def test_a_larger_world_begins_with_the_smaller_one(world: World) -> None:
    small, large = panels(world), panels(world, 40_000)
    assert len(small) == 12
    assert sum(panel.size for panel in small) == 4000
    assert len(large) == 120
    assert large[:12] == small
    assert {panel.clinic for panel in small} == set(range(12))


@pytest.mark.parametrize("n", [0, -1, 10_000_000])
def test_an_impossible_size_is_refused(world: World, n: int) -> None:
    with pytest.raises(UserError, match="between 1 and"):
        panels(world, n)


def test_a_stream_depends_on_seed_name_and_panel() -> None:
    def first(*key: int | str) -> float:
        return float(stream(*key).random())  # type: ignore[arg-type]

    assert first(1, "age", 0) == first(1, "age", 0)
    assert len({first(1, "age", 0), first(2, "age", 0), first(1, "sex", 0), first(1, "age", 1)}) == 4
    # Not on the machine or the run either: this number may never change.
    assert first(1, "age", 0) == pytest.approx(0.2850179719240864, abs=1e-15)


def test_adding_a_stream_changes_no_other() -> None:
    def draw_two() -> np.ndarray:
        return np.concatenate([stream(1, "age", 0).random(3), stream(1, "sex", 0).random(3)])

    def draw_three() -> np.ndarray:
        age = stream(1, "age", 0).random(3)
        stream(1, "newly invented", 0).random(1000)
        return np.concatenate([age, stream(1, "sex", 0).random(3)])

    assert np.array_equal(draw_two(), draw_three())
    # One generator for everything, the usual way, does not have this property.
    shared, shifted = np.random.default_rng(1), np.random.default_rng(1)
    shifted.random(1)
    assert not np.array_equal(shared.random(3), shifted.random(3))
