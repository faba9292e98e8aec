"""The rehearsal at a paper account, against a TWS on the wire; whatever happens, nothing is left there."""

import ib_insync
import pytest

from daemon.doctor.acceptance import rehearse_orders
from daemon.runtime.ib_broker import ib_broker
from shared.errors import ConfigError
from tests.brokers.ib.gateways import MARKET, a_gateway
from tests.doctor.test_gateway_faults import config_for

OPEN = MARKET.opens_at + 3600
STEPS = ["connect", "report", "price", "place_bracket", "modify_stop", "reconnect", "cancel", "nothing_left"]


async def left_at(gateway):
    ib = ib_insync.IB()
    await ib.connectAsync("127.0.0.1", gateway.port, clientId=0, timeout=5)
    orders = await ib.reqAllOpenOrdersAsync()
    ib.disconnect()
    return [order.order.orderRef for order in orders]


async def test_every_card_of_a_sound_gateway_passes_and_nothing_is_left(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        cards = await rehearse_orders(config_for(tmp_path, gateway.port), ib_broker)
        assert await left_at(gateway) == []
        assert gateway.ledger.quantity("SPY") == 0
    assert [(card.name, card.level) for card in cards] == [(name, "ok") for name in STEPS]


async def test_live_is_refused_before_anything_is_connected(tmp_path):
    with pytest.raises(ConfigError, match="the rehearsal is for paper accounts only"):
        await rehearse_orders(config_for(tmp_path, 1, mode="live", account="U1234567"), ib_broker)


async def test_a_live_account_behind_a_paper_configuration_gets_no_order(tmp_path):
    async with a_gateway(at=OPEN, accounts=("U1234567",), allow_live_id=True) as gateway:
        cards = await rehearse_orders(config_for(tmp_path, gateway.port), ib_broker)
        assert await left_at(gateway) == []
    assert (cards[0].level, {card.level for card in cards[1:]}) == ("fail", {"skip"})
    assert "which is not a paper account" in cards[0].text


async def test_without_a_gateway_the_first_card_fails_and_the_others_are_skipped(tmp_path):
    cards = await rehearse_orders(config_for(tmp_path, 1), ib_broker)
    assert (cards[0].level, {card.level for card in cards[1:]}) == ("fail", {"skip"})


async def test_a_read_only_api_fails_the_card_of_the_order(tmp_path):
    async with a_gateway(at=OPEN, read_only=True) as gateway:
        cards = {card.name: card for card in await rehearse_orders(config_for(tmp_path, gateway.port), ib_broker)}
    assert cards["price"].level == "ok"
    assert cards["place_bracket"].level == "fail"
    assert "Read-Only" in cards["place_bracket"].text


async def test_a_rejected_order_fails_its_card_and_leaves_nothing(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        gateway.faults.inject("reject_order")
        cards = {card.name: card for card in await rehearse_orders(config_for(tmp_path, gateway.port), ib_broker)}
        assert await left_at(gateway) == []
    assert cards["place_bracket"].level == "fail"
    assert cards["place_bracket"].text.startswith("refused: ")


async def test_a_change_that_is_refused_fails_its_card_and_the_bracket_is_cancelled(tmp_path):
    async with a_gateway(at=OPEN) as gateway:
        gateway.faults.inject("refuse_change")
        cards = {card.name: card for card in await rehearse_orders(config_for(tmp_path, gateway.port), ib_broker)}
        assert await left_at(gateway) == []
    assert (cards["place_bracket"].level, cards["modify_stop"].level) == ("ok", "fail")
