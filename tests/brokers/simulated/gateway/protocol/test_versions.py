"""One table per message, gated by version: what 157 and 176 get; the fast way writes what the slow way does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.simulated.gateway.protocol import data_layouts, layouts, order_layouts
from brokers.simulated.gateway.protocol.handshake import Offer, agreed_version, offer_of
from brokers.simulated.gateway.protocol.layout import Each, Layout, Since, Until, When
from brokers.simulated.gateway.protocol.wire import Unreadable, Value, fields_of, frame

TABLES = [
    table
    for module in (layouts, order_layouts, data_layouts)
    for table in vars(module).values()
    if isinstance(table, Layout)
]
VERSIONS = (157, 176)


@pytest.mark.parametrize(
    ("table", "at_157", "at_176"),
    [
        # TWS.md 2.1: tickPrice 7, position 16, portfolio 20, execDetails 31 at 176, commission 8 fields
        (layouts.TICK_PRICE, 7, 7),
        (layouts.TICK_SIZE, 5, 5),
        (layouts.POSITION, 16, 16),
        (layouts.PORTFOLIO, 20, 20),
        (layouts.EXECUTION, 31, 31),
        (layouts.COMMISSION, 8, 8),
        (layouts.ORDER_STATUS, 12, 12),
        (layouts.REAL_TIME_BAR, 11, 11),
        # the advanced reject of an error came with 166
        (layouts.ERROR, 5, 6),
    ],
)
def test_a_message_has_the_fields_of_its_version(table, at_157, at_176):
    assert (len(table.encode({}, 157)), len(table.encode({}, 176))) == (at_157, at_176)


@pytest.mark.parametrize(
    ("table", "more"),
    [
        # a version and mdSizeMultiplier end with 164, three sizes begin
        (layouts.CONTRACT_DATA, 1),
        # 158: duration, 160: postToAts, 162: autoCancelParent, 170: five peg fields
        (order_layouts.OPEN_ORDER, 8),
        (order_layouts.COMPLETED_ORDER, 5),
        # the same, and 166: advancedErrorOverride, 169: manualOrderTime; its peg fields depend on the order
        (order_layouts.PLACE_ORDER, 5),
    ],
)
def test_the_long_messages_grew_by_the_fields_that_came_since_157(table, more):
    assert len(table.encode({}, 176)) - len(table.encode({}, 157)) == more


def test_a_symbol_sample_is_described_from_176_on():
    values: dict[str, Value] = {"reqId": 1, "nContracts": 1, "symbol.0": "SPY", "description.0": "SPDR", "nDerivatives.0": 0}
    assert data_layouts.SYMBOL_SAMPLES.encode(values, 157) == [79, 1, 1, "", "SPY", "STK", "", "USD", 0]
    assert data_layouts.SYMBOL_SAMPLES.encode(values, 176)[-2:] == ["SPDR", ""]


def test_groups_repeat_inside_groups():
    table = Layout("nested", 1, ("n=0", Each("n", ("m=0", Each("m", ("kind",))))))
    values: dict[str, Value] = {"n": 2, "m.0": 1, "kind.0.0": "CFD", "m.1": 2, "kind.1.0": "OPT", "kind.1.1": "WAR"}
    assert table.encode(values) == [1, 2, 1, "CFD", 2, "OPT", "WAR"]


def test_a_gate_inside_a_gate_opens_only_between_its_versions():
    table = Layout("between", 1, (Until(164, (Since(163, ("a",)),)), When("a", bool, ())))
    assert [len(table.encode({"a": "x"}, version)) for version in (163,)] == [2]


_texts = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
_values = st.one_of(
    _texts, st.integers(-(10**9), 10**9), st.booleans(), st.none(), st.floats(allow_nan=False, width=32)
)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@given(data=st.data())
def test_the_fast_way_writes_what_the_slow_way_writes(table, version, data):
    plain = [entry.partition("=")[0] for entry in table.entries if isinstance(entry, str)]
    counts = {name for name in plain if name.startswith("n") and name[1:2].isupper()}
    conditions = {"orderType", "deltaNeutralOrderType", "scalePriceIncrement", "hedgeType", "dncFlag", "algoStrategy"}
    free = sorted(set(plain) - counts - conditions - {"conditions"})
    values = data.draw(st.dictionaries(st.sampled_from(free), _values, max_size=6)) if free else {}
    assert table.frame(values, version) == frame(table.encode(values, version))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_name_that_is_in_no_version_is_a_fault_of_ours_fast_or_slow(table):
    with pytest.raises(AssertionError, match="no field"):
        table.frame({"colour": "red"})


def test_a_field_of_a_later_version_is_silently_left_out_below_it():
    assert fields_of(layouts.ERROR.frame({"advancedRejectJson": "{}"}, 157)[4:])[0] == "4"


@pytest.mark.parametrize(
    ("payload", "offer"),
    [
        (b"v100..157", Offer(100, 157)),
        (b"v157..176 ", Offer(157, 176)),
        (b"v176", Offer(176, 176)),
        (b"v100..226 +PACEAPI", Offer(100, 226, "+PACEAPI")),
        (b"v100..151\0", Offer(100, 151)),
    ],
)
def test_an_offer_is_read_with_its_options(payload, offer):
    assert offer_of(payload) == offer


@pytest.mark.parametrize("payload", [b"", b"v", b"100..176", b"v100..", b"v1..2..3", b"v9999999", b"vv", b"\xff" * 50])
def test_an_unreadable_offer_is_refused_with_what_was_expected(payload):
    with pytest.raises(Unreadable, match=r"expected v100\.\.176"):
        offer_of(payload)


@pytest.mark.parametrize(
    ("offer", "version"),
    [
        (Offer(157, 176), 176),  # ib_insync
        (Offer(157, 178), 176),  # ib_async
        (Offer(100, 157), 157),  # ibapi 9.81
        (Offer(100, 226), 176),  # ibapi 10.51
        (Offer(100, 173), 157),
        (Offer(100, 156), None),
        (Offer(160, 170), None),
        (Offer(177, 200), None),
        (Offer(213, 225), None),  # rust-ibapi 3
        (Offer(176, 100), None),
    ],
)
def test_the_version_spoken_is_the_clients_highest_that_we_know(offer, version):
    assert agreed_version(offer) == version
