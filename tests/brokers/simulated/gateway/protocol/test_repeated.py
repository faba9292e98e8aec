"""What every report tells again is remembered as bytes: they are those of the table, whoever asks."""

import pytest

from brokers.simulated.gateway.accounts.records import CommissionCharged, Execution
from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.protocol import answers
from brokers.simulated.gateway.protocol.wire import frame

SPY = Listed(index=0, con_id=756733, symbol="SPY", long_name="SPDR S&P 500", exchange="ARCA", min_tick=0.01)
DONE = Execution(
    at=1381248000.0, exec_id="0000e0d5.52543210.01.01", order_id=7, perm_id=1_700_000_001, client_id=3,
    con_id=756733, symbol="SPY", side="BUY", quantity=40.5, price=99.25, filled=40.5, average_price=99.25,
    order_ref="swing-1",
)  # fmt: skip
PAID = CommissionCharged(at=1381248000.0, exec_id=DONE.exec_id, commission=1.0, realized_pnl=None)


@pytest.mark.parametrize("version", [157, 176])
@pytest.mark.parametrize("req_id", [answers.NO_REQUEST, 0, 9, 1_000_000])
def test_an_execution_is_the_same_to_every_question_but_for_its_id(req_id, version):
    for _ in range(2):
        told = answers.execution(DONE, SPY, "DU1", req_id)
        assert told.encode(version) == frame(told.layout.encode(told.values, version))
        assert told.values["reqId"] == req_id


def test_a_commission_told_again_is_the_same_bytes():
    told = answers.commission(PAID)
    assert told.encode(176) == answers.commission(PAID).encode(176) == frame(told.layout.encode(told.values, 176))
