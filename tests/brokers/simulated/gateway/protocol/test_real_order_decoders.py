"""What the gateway says about orders, through the decoders of real clients at both versions."""

import pytest

from brokers.simulated.gateway.accounts.records import CommissionCharged, Execution
from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.protocol import answers, data_answers, layouts, order_layouts
from brokers.simulated.gateway.protocol.message import Message, message
from brokers.simulated.gateway.protocol.request_shapes import ContractFields
from brokers.simulated.gateway.protocol.requests import PlaceOrder
from brokers.simulated.gateway.protocol.wire import Value, fields_of

ACCOUNT = "DU7654321"
NOON = 1381248000.0
"""2013-10-08 12:00 in New York."""
SPY = Listed(index=0, con_id=756733, symbol="SPY", long_name="SPDR S&P 500", exchange="ARCA", min_tick=0.01)
UNSET = float("1.7976931348623157E308")


def an_order(order_type="LMT", **terms):
    contract = ContractFields(756733, "SPY", "STK", "", None, "", "", "SMART", "", "USD", "", "")
    asked = PlaceOrder(
        order_id=7, contract=contract, side="BUY", quantity=100.0, order_type=order_type, limit_price=99.25,
        aux_price=None, tif="GTC", oca_group="", oca_type=0, account=ACCOUNT, open_close="", order_ref="swing-1",
        transmit=True, parent_id=6, outside_rth=True, what_if=False, conditions=0,
    )  # fmt: skip
    return GatewayOrder(
        perm_id=1_700_000_001, client_id=3, account=ACCOUNT, request=asked, stock=SPY, quantity=100.0,
        limit_price=99.25, stop_price=98.5, oca_group="1700000000", oca_type=1, status="PreSubmitted", **terms,
    )  # fmt: skip


def test_an_open_order(heard):
    name, (order_id, contract, order, state) = heard(answers.open_order(an_order(commission=1.25), ACCOUNT))
    assert (name, order_id) == ("openOrder", 7)
    assert (contract.conId, contract.symbol, contract.exchange, contract.right) == (756733, "SPY", "SMART", "?")
    assert (order.clientId, order.permId, order.parentId, order.account) == (3, 1_700_000_001, 6, ACCOUNT)
    assert (order.action, order.totalQuantity, order.orderType, order.tif) == ("BUY", 100.0, "LMT", "GTC")
    assert (order.lmtPrice, order.auxPrice, order.orderRef, order.outsideRth) == (99.25, 98.5, "swing-1", True)
    assert (order.ocaGroup, order.ocaType, order.whatIf, order.adjustedOrderType) == ("1700000000", 1, False, "None")
    assert (state.status, state.commission, state.commissionCurrency) == ("PreSubmitted", 1.25, "USD")


def test_an_open_order_that_trails(heard):
    told = answers.open_order(
        an_order("TRAIL"), ACCOUNT, trailStopPrice=97.5, adjustedTrailStop=97.5, trailingPercent=2.0
    )
    _, (_, _, order, _) = heard(told)
    assert (order.orderType, order.trailStopPrice, order.trailingPercent) == ("TRAIL", 97.5, 2.0)


def test_a_previewed_order_with_its_margins_and_its_warning(heard):
    margins = {"initMarginBefore": 1000.5, "maintMarginChange": 200.0, "equityWithLoanAfter": 99_000.0}
    told = answers.open_order(an_order(), ACCOUNT, whatIf=1, minCommission=1.0, warningText="careful", **margins)
    _, (_, _, order, state) = heard(told)
    assert (order.whatIf, state.minCommission, state.warningText) == (True, 1.0, "careful")
    assert (float(state.initMarginBefore), float(state.maintMarginChange)) == (1000.5, 200.0)
    assert (float(state.equityWithLoanAfter), float(state.initMarginAfter)) == (99_000.0, UNSET)


def test_an_open_order_with_every_group_that_may_follow(heard):
    groups: dict[str, Value] = {
        "deltaNeutralOrderType": "MKT", "deltaNeutralConId": 11, "nLegs": 2, "legConId.0": 21, "legAction.0": "BUY",
        "legRatio.0": 1, "legConId.1": 22, "legRatio.1": 3, "nOrderLegs": 1, "orderLegPrice.0": 4.5, "nSmartParams": 1,
        "smartTag.0": "NonGuaranteed", "smartValue.0": "1", "scalePriceIncrement": 0.25, "scaleProfitOffset": 0.75,
        "hedgeType": "D", "hedgeParam": "x", "dncFlag": 1, "deltaNeutralContractConId": 31,
        "deltaNeutralContractDelta": 0.5, "algoStrategy": "Adaptive", "nAlgoParams": 1,
        "algoTag.0": "adaptivePriority", "algoValue.0": "Normal", "nConditions": 2, "condType.0": 1,
        "conjunction.0": "a", "isMore.0": 1, "price.0": 101.5, "condConId.0": 756733, "condExchange.0": "SMART",
        "condTriggerMethod.0": 0, "condType.1": 3, "conjunction.1": "o", "isMore.1": 0,
        "condTime.1": "20131008 15:00:00", "conditionsCancelOrder": 1, "usePriceMgmtAlgo": 1,
    }  # fmt: skip
    _, (_, contract, order, _) = heard(answers.open_order(an_order(), ACCOUNT, **groups))
    assert [(leg.conId, leg.ratio, leg.action) for leg in contract.comboLegs] == [(21, 1, "BUY"), (22, 3, "")]
    assert (contract.deltaNeutralContract.conId, contract.deltaNeutralContract.delta) == (31, 0.5)
    assert (order.deltaNeutralConId, order.orderComboLegs[0].price) == (11, 4.5)
    assert order.smartComboRoutingParams[0].tag == "NonGuaranteed"
    assert (order.scalePriceIncrement, order.scaleProfitOffset, order.hedgeParam) == (0.25, 0.75, "x")
    assert (order.algoStrategy, order.algoParams[0].value) == ("Adaptive", "Normal")
    price, time = order.conditions
    assert (price.isMore, price.price, price.conId, price.exch) == (True, 101.5, 756733, "SMART")
    assert (time.conjunction, time.time, order.conditionsCancelOrder) == ("o", "20131008 15:00:00", True)
    assert order.usePriceMgmtAlgo is True


def test_the_fields_that_came_after_157_reach_only_those_who_know_them(heard, version):
    told = answers.open_order(an_order(), ACCOUNT, duration=60, postToAts=30, autoCancelParent=1, midOffsetAtHalf=0.005)
    _, (_, _, order, _) = heard(told)
    known = (60, 30, True, 0.005) if version == 176 else (2147483647, 2147483647, False, UNSET)
    assert (order.duration, order.postToAts, order.autoCancelParent, order.midOffsetAtHalf) == known


def test_an_order_pegged_to_a_benchmark(heard):
    peg: dict[str, Value] = {"referenceContractId": 5, "peggedChangeAmount": 0.5, "referenceExchangeId": "ARCA"}
    _, (_, _, order, _) = heard(answers.open_order(an_order("PEG BENCH"), ACCOUNT, **peg))
    assert (order.referenceContractId, order.peggedChangeAmount, order.referenceExchangeId) == (5, 0.5, "ARCA")


def test_an_order_status(heard):
    order = an_order(filled=40.0, average_price=99.125, last_price=99.25, why_held="child,trigger")
    name, told = heard(answers.order_status(order))
    assert (name, told) == (
        "orderStatus",
        (7, "PreSubmitted", 40.0, 60.0, 99.125, 1_700_000_001, 6, 99.25, 3, "child,trigger", 0.0),
    )


def test_a_completed_order(heard):
    order = an_order(filled=100.0, completed_at=NOON, completed_status="Filled Size: 100")
    name, (contract, order, state) = heard(answers.completed_order(order, ACCOUNT))
    assert (name, contract.symbol, order.permId, order.filledQuantity) == (
        "completedOrder",
        "SPY",
        1_700_000_001,
        100.0,
    )
    assert (order.orderRef, order.lmtPrice, order.ocaGroup, order.totalQuantity) == (
        "swing-1",
        99.25,
        "1700000000",
        100,
    )
    assert (state.completedTime, state.completedStatus) == ("20131008 12:00:00 US/Eastern", "Filled Size: 100")


def test_a_completed_order_with_conditions(heard):
    told = answers.completed_order(an_order(completed_at=NOON, completed_status="Cancelled"), ACCOUNT)
    groups: dict[str, Value] = {"nConditions": 1, "condType.0": 7, "condChangePercent.0": 2.5, "condConId.0": 5}
    _, (_, order, state) = heard(Message(told.layout, {**told.values, **groups}))
    assert (order.conditions[0].changePercent, order.conditions[0].conId, state.completedStatus) == (
        2.5,
        5,
        "Cancelled",
    )


@pytest.mark.parametrize("req_id", [-1, 12])
def test_an_execution(heard, req_id):
    done = Execution(
        at=NOON, exec_id="00025b46.63f8f39c.01.01", perm_id=1_700_000_001, client_id=3, order_id=7, order_ref="swing-1",
        con_id=756733, symbol="SPY", side="SELL", quantity=40.0, price=99.25, filled=60.0, average_price=99.125,
        liquidation=True,
    )  # fmt: skip
    name, (about, contract, execution) = heard(answers.execution(done, SPY, ACCOUNT, req_id))
    assert (name, about, contract.conId, contract.symbol) == ("execDetails", req_id, 756733, "SPY")
    assert (execution.execId, execution.side, execution.shares) == ("00025b46.63f8f39c.01.01", "SLD", 40.0)
    assert (execution.price, execution.cumQty, execution.avgPrice) == (99.25, 60.0, 99.125)
    assert (execution.orderId, execution.clientId, execution.permId) == (7, 3, 1_700_000_001)
    assert (execution.acctNumber, execution.orderRef, execution.liquidation) == (ACCOUNT, "swing-1", 1)
    assert (execution.exchange, execution.lastLiquidity) == ("ARCA", 2)
    assert execution.time.timestamp() == NOON


def test_a_commission_and_what_the_execution_realised(heard):
    charged = CommissionCharged(at=NOON, exec_id="0001.01", commission=1.05, realized_pnl=-12.5)
    name, (report,) = heard(answers.commission(charged))
    assert (name, report.execId, report.commission) == ("commissionReport", "0001.01", 1.05)
    assert (report.currency, report.realizedPNL) == ("USD", -12.5)


def test_the_ends_of_the_lists(heard):
    assert heard(message(layouts.OPEN_ORDER_END)) == ("openOrderEnd", ())
    assert heard(message(layouts.COMPLETED_ORDERS_END)) == ("completedOrdersEnd", ())
    assert heard(message(layouts.EXECUTION_END, reqId=4)) == ("execDetailsEnd", (4,))


def test_an_order_bound_to_client_0(heard):
    assert heard(data_answers.order_bound(1_700_000_001, 0, -5)) == ("orderBound", (1_700_000_001, 0, -5))


def test_a_table_has_no_field_twice_for_values_are_given_by_name():
    names = [entry.partition("=")[0] for entry in order_layouts.OPEN_ORDER.entries if isinstance(entry, str)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "told",
    [
        answers.contract_data(3, SPY, "20131008:0400-20131008:2000", "20131008:CLOSED"),
        answers.open_order(an_order(), ACCOUNT),
        answers.completed_order(an_order(completed_at=NOON, completed_status="Cancelled"), ACCOUNT),
        answers.error(3, 200, "No security definition"),
    ],
    ids=lambda told: told.name,
)
def test_the_last_field_of_a_message_is_one_that_clients_read(decoded, version, told):
    fields = fields_of(told.encode(version)[4:])
    assert len(decoded(list(fields))) == 1
    assert decoded(fields[:-1]) == []
