"""What several tests of the data read: the committed world, its tables and its truth."""

from collections.abc import Iterator

import pandas as pd
import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from carelab.paths import DATA
from carelab.synth.config import World, load_world
from carelab.synth.scheduling.measure import Data, load


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Tests run side by side; models that each take every core would only wait for one another."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def world() -> World:
    return load_world()


@pytest.fixture(scope="session")
def data(world: World) -> Data:
    """The committed tables with their truth; tests that change a frame take a copy."""
    return load(DATA, world)


@pytest.fixture(scope="session")
def visits() -> pd.DataFrame:
    return pd.read_parquet(DATA / "tables" / "visits.parquet")
