from contextlib import AsyncExitStack

import pytest

from tests.scenarios.floor import CALM, UP, a_floor, prices


@pytest.fixture
async def floor_with(tmp_path):
    """Builds a floor on a script of steps; the daemon is not started yet."""
    async with AsyncExitStack() as stack:

        async def build(script=None, **settings):
            return await a_floor(stack, tmp_path, script or prices(CALM, CALM, UP), **settings)

        yield build


@pytest.fixture
async def floor(floor_with):
    """The daemon runs, flat, at 100.00; the third step brings 102.00 and an entry."""
    opened = await floor_with()
    await opened.start()
    return opened


@pytest.fixture
async def holding(floor):
    """The daemon is long and protected at the broker."""
    await floor.play(4)
    await floor.until(lambda: floor.shares > 0 and floor.stops() == floor.shares)
    return floor


@pytest.fixture
async def waiting(floor_with):
    """An entry limited to 102.00 works at the broker while the price has gone on to 103.00."""
    floor = await floor_with(prices(CALM, CALM, UP, 103.0))
    await floor.start(execution={"entry": "limit", "limit_offset_bps": 0.0})
    await floor.play(4)
    await floor.until(lambda: floor.resting("E") and not floor.book.unknown_orders())
    return floor
