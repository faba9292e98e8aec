"""Rescue at the simulated gateway, beside a real daemon, dead or alive: the broker's ledger says whether it helped."""

import asyncio
from datetime import timedelta

import pytest

from daemon.control.control_socket import ControlSocket, socket_path
from daemon.control.rescue import Listener, Patience, Rescue, chosen_ids, connected, living_daemon
from daemon.control.rescue_plan import entries_of, exits_of, protected_positions
from daemon.control.socket_client import ask_daemon
from daemon.runtime.clock import wall_now
from shared.account import BrokerPosition
from shared.commands import PlaceBracket
from shared.errors import BrokerUnavailable, ConfigError, Refused
from shared.orders import Fill, OrderType, Side
from tests.brokers.ib.peers import Notebook, a_bracket, ib_broker
from tests.control.builders import NOW, FakeGate, a_switchboard
from tests.fakes.broker import FakeBroker
from tests.scenarios.conftest import floor_with  # noqa: F401 - the fixture
from tests.scenarios.floor import CALM, UP, a_config, prices

PLAN = "OB1:t:20131008:SPY-1"
BY_HAND = 3
HURRIED = Patience(freed_within_s=0.5, look_every_s=0.02, gone_within_s=0.3, flat_within_s=0.3, settle_s=0.05)


@pytest.fixture
async def holding(floor_with):  # noqa: F811 - pytest's fixture by import
    """The daemon is long and protected at the broker; the price comes back when it is played on."""
    floor = await floor_with(prices(CALM, CALM, *[UP] * 6, CALM))
    await floor.start()
    await floor.play(4)
    await floor.until(lambda: floor.shares > 0 and floor.stops() == floor.shares)
    return floor


@pytest.fixture
async def orphaned(holding):
    """The same, and the daemon was killed."""
    await holding.kill()
    await holding.broker.disconnect()
    _unlock(holding)
    return holding


def _unlock(floor):
    """In one process a killed daemon leaves its lock behind; a dead process does not."""
    for lock in floor.folder.rglob("*.lock"):
        lock.unlink()


def rescued(floor, ids=None, **settings):
    return connected(floor.config, ids or chosen_ids(floor.config, None), **{"patience": HURRIED, **settings})


async def at_the_gateway(floor, client_id, *brackets):
    """Another client of the same account that has orders working."""
    other = ib_broker(floor.gateway.port, Notebook(), "SPY", client_id=client_id, data_client_id=client_id + 50)
    await other.connect()
    for bracket in brackets:
        await other.execute(PlaceBracket(bracket=bracket))
    await other.server_time()
    return other


def far_entry():
    return a_bracket(order_type=OrderType.LIMIT, limit_price=50.0)


async def test_a_position_whose_daemon_is_dead_is_flattened_and_its_orders_are_gone(orphaned):
    async with rescued(orphaned) as rescue:
        outcome = await rescue.flatten(["SPY"])
    assert outcome.left == ()
    assert orphaned.shares == 0
    assert orphaned.resting() == []


async def lingering(holding, for_s):
    """The daemon was killed, and the gateway keeps its client ids for so long."""
    holding.gateway.controls.linger(for_s)
    await holding.kill()
    await holding.broker.disconnect()
    _unlock(holding)


async def test_the_client_id_of_a_daemon_that_has_just_died_is_waited_for(holding):
    await lingering(holding, 5.0)
    rescue = asyncio.create_task(flat(holding, Patience(look_every_s=0.02, settle_s=0.05)))
    await asyncio.sleep(0.1)
    assert not rescue.done()
    holding.clock.advance_to(holding.clock.now() + 5.0)
    assert (await rescue).left == ()
    assert holding.shares == 0


async def test_a_client_id_that_stays_taken_is_told_in_one_line(holding):
    await lingering(holding, 3600.0)
    with pytest.raises(BrokerUnavailable, match="client id 7 is in use"):
        await flat(holding, HURRIED)


async def flat(floor, patience):
    async with rescued(floor, patience=patience) as rescue:
        return await rescue.flatten(["SPY"])


async def test_the_daemon_that_lives_again_books_the_exit_where_it_belongs(orphaned):
    async with rescued(orphaned) as rescue:
        await rescue.flatten(["SPY"])
    await orphaned.play(6)  # the price is calm again: nothing is wanted
    await orphaned.start()
    await orphaned.agreed()
    assert orphaned.book.breaks == {}
    assert orphaned.book.foreign_positions == {}
    assert [fill.ref.startswith(f"{PLAN}:X") for fill in orphaned.book.fills.values() if fill.side == "SELL"] == [True]


async def test_an_empty_disk_is_no_obstacle(orphaned, tmp_path_factory):
    elsewhere = a_config(tmp_path_factory.mktemp("empty"), orphaned.gateway.port)
    ids = chosen_ids(elsewhere, None)
    assert (ids.orders, ids.daemon) == (elsewhere.broker.client_id, "")
    async with connected(elsewhere, ids, patience=HURRIED) as rescue:
        await rescue.flatten(["SPY"])
    assert orphaned.shares == 0
    assert orphaned.resting() == []


async def test_flatten_twice_never_turns_the_position_around(orphaned):
    async with rescued(orphaned) as rescue:
        await rescue.flatten(["SPY"])
        again = await rescue.flatten(["SPY"])
    assert again.asked == ()
    assert orphaned.shares == 0


async def test_looking_shows_each_position_with_the_stop_that_protects_it(orphaned):
    async with rescued(orphaned) as rescue:
        report = await rescue.look()
    [held] = protected_positions(report)
    assert (held.symbol, held.quantity, held.is_whole) == ("SPY", orphaned.shares, True)
    assert [stop.ref for stop in held.stops] == [f"{PLAN}:S"]
    assert [(exit_.side, exit_.quantity) for exit_ in exits_of(report, "SPY", wall_now())] == [
        ("SELL", orphaned.shares)
    ]


async def test_entries_are_cancelled_and_protection_stays(orphaned):
    own = await at_the_gateway(orphaned, orphaned.config.broker.client_id, far_entry())
    await own.disconnect()
    async with rescued(orphaned) as rescue:
        outcome = await rescue.cancel(entries_of(await rescue.look()))
    assert outcome.is_done
    assert orphaned.resting("E") == []
    assert orphaned.stops() == orphaned.shares > 0


async def test_orders_of_another_client_are_not_cancelled_one_by_one_and_nothing_is_sent(orphaned):
    other = await at_the_gateway(orphaned, BY_HAND, far_entry())
    before = len(orphaned.resting())
    async with rescued(orphaned) as rescue:
        with pytest.raises(Refused, match=r"3 of 5 orders belong to client id 3, we are 7"):
            await rescue.flatten(["SPY"])
    await other.disconnect()
    assert len(orphaned.resting()) == before
    assert orphaned.shares > 0


async def test_all_reaches_the_orders_of_every_client(orphaned):
    other = await at_the_gateway(orphaned, BY_HAND, far_entry())
    async with rescued(orphaned) as rescue:
        outcome = await rescue.flatten(["SPY"], everything=True)
    await other.disconnect()
    assert outcome.is_done
    assert orphaned.resting() == []
    assert orphaned.shares == 0


async def test_beside_a_living_daemon_rescue_connects_under_ids_of_its_own(holding):
    ids = chosen_ids(holding.config, None)
    assert (ids.orders, ids.data) == (107, 108)
    assert ids.daemon == "its control socket answers"
    async with rescued(holding) as rescue:
        assert len((await rescue.look()).positions) == 1
        with pytest.raises(Refused, match="belong to client id 7, we are 107"):
            await rescue.flatten(["SPY"])
    assert holding.daemon.is_up
    assert holding.stops() == holding.shares > 0


async def test_a_living_daemon_without_a_socket_is_seen_by_its_journals_lock(floor_with):  # noqa: F811
    floor = await floor_with()
    await floor.start(control={"enabled": False})
    assert living_daemon(floor.config).startswith("process ")


async def test_the_id_of_a_living_daemon_is_not_taken(holding):
    with pytest.raises(Refused, match="--client-id 7: is held by the living daemon"):
        chosen_ids(holding.config, 7)


async def test_a_daemon_whose_journal_cannot_be_asked_is_seen_by_its_socket(tmp_path):
    config = a_config(tmp_path, 4010, journal={"url": "postgresql://nobody@127.0.0.1:1/none"})
    assert living_daemon(config) == ""
    control = ControlSocket(socket_path(config), a_switchboard(tmp_path, FakeGate()))
    await control.open()
    found = await asyncio.to_thread(living_daemon, config)
    await asyncio.to_thread(ask_daemon, socket_path(config), verb="status", scope="account")
    await control.close()
    assert found == "its control socket answers"


async def test_an_order_that_will_not_be_cancelled_leaves_its_instrument_alone(orphaned):
    orphaned.gateway.faults.inject("cancel_unanswered", count=50)
    async with rescued(orphaned) as rescue:
        outcome = await rescue.flatten(["SPY"])
    assert any("SPY" in line for line in outcome.left)
    assert orphaned.shares > 0  # closing beside a live stop could turn it around
    assert orphaned.stops() == orphaned.shares


async def test_a_position_that_is_told_late_keeps_its_stop(orphaned):
    orphaned.gateway.faults.inject("position_lag", delay_s=20)
    async with rescued(orphaned) as rescue:
        with pytest.raises(Refused, match="SPY: a stop works there, but the broker tells no position"):
            await rescue.flatten(["SPY"])
    assert orphaned.stops() == orphaned.shares > 0


class LaggingBroker(FakeBroker):
    """Its position list follows the execution of a moment ago only at the fourth look."""

    looks = 0

    def global_cancel(self):
        self.log.append("global_cancel")

    async def report(self):
        self.looks += 1
        self.positions = (BrokerPosition(symbol="SPY", quantity=98.0, average_cost=100.0),) if self.looks < 4 else ()
        return await super().report()


async def test_a_position_that_was_closed_a_moment_ago_is_not_closed_again():
    broker = LaggingBroker(lambda: NOW)
    broker.fills = (
        Fill(
            ref=f"{PLAN}:S",
            exec_id="1.1.1.01",
            symbol="SPY",
            side=Side.SELL,
            quantity=98,
            price=99.0,
            filled_at=NOW - timedelta(seconds=0.1),
        ),
    )
    rescue = Rescue(broker, Listener(), 7, Patience(look_every_s=0.001, settle_s=0.5))
    outcome = await rescue.flatten(["SPY"])
    assert broker.sent == []
    assert outcome.is_done


async def test_what_could_not_be_asked_is_not_taken_for_nothing(orphaned):
    async with rescued(orphaned) as rescue:
        orphaned.gateway.faults.inject("swallow_position_end", count=5)
        with pytest.raises(BrokerUnavailable, match="could not ask for positions"):
            await rescue.flatten(["SPY"])
    assert orphaned.shares > 0
    assert orphaned.stops() == orphaned.shares


async def test_another_account_than_the_configured_one_is_not_touched(orphaned):
    other = orphaned.config.model_copy(update={"account": "DU0000001"})
    with pytest.raises(ConfigError, match="the configuration names"):
        async with connected(other, chosen_ids(other, None)):
            pass
    assert orphaned.shares > 0


async def test_live_needs_its_flag(orphaned):
    live = orphaned.config.model_copy(update={"mode": "live", "account": "U1234567"})
    with pytest.raises(ConfigError, match="needs --live"):
        async with connected(live, chosen_ids(live, None)):
            pass


async def test_a_gateway_that_is_not_there_is_said_to_be_so(tmp_path):
    config = a_config(tmp_path, 1)
    with pytest.raises(BrokerUnavailable):
        async with connected(config, chosen_ids(config, None)):
            pass
