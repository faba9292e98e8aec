"""One table per message, gated by version: what 157 and 176 get; the fast way writes what the slow way does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.simulated.gateway.protocol import data_layouts, layouts, order_layouts
from brokers.simulated.gateway.protocol.entries import Each, Since, Until, When, named
from brokers.simulated.gateway.protocol.handshake import Offer, agreed_version, offer_of
from brokers.simulated.gateway.protocol.layout import Layout
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
    values: dict[str, Value] = {
        "reqId": 1,
        "nContracts": 1,
        "symbol.0": "SPY",
        "description.0": "SPDR",
        "nDerivatives.0": 0,
    }
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


TRIGGERS: dict[str, list[Value]] = {
    "orderType": ["LMT", "PEG BENCH", "PEG BEST", "PEG MID"], "deltaNeutralOrderType": ["", "None"], "dncFlag": [0, 1],
    "scalePriceIncrement": ["", 0.5], "hedgeType": ["", "D"], "algoStrategy": ["", "Adaptive"],
    "secType": ["STK", "BAG"], "competeAgainstBestOffset": ["Infinity", 0.1],
    "condType": ["1", "3", "4", "5", "6", "7"],
}  # fmt: skip
"""Fields on which others depend, and what they can say."""


def _names_in(entries, suffixes=("",)):
    """Every field, those of repeated groups with the numbers of the first two repetitions."""
    for entry in entries:
        if isinstance(entry, str):
            yield from (named(entry)[0] + suffix for suffix in suffixes)
        elif isinstance(entry, Each):
            yield from _names_in(entry.fields, [f"{suffix}.{index}" for suffix in suffixes for index in (0, 1)])
        else:
            yield from _names_in(entry.fields, suffixes)


def _value_of(name):
    plain = name.partition(".")[0]
    if plain in TRIGGERS:
        return st.sampled_from(TRIGGERS[plain])
    return st.integers(0, 2) if plain[0] == "n" and plain[1].isupper() else _values


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_fast_way_writes_what_the_slow_way_writes(table, version, data):
    names = sorted(set(_names_in(table.entries)))
    chosen = data.draw(st.lists(st.sampled_from(names), max_size=12, unique=True)) if names else []
    values = {name: data.draw(_value_of(name)) for name in chosen}
    assert table.frame(values, version) == frame(table.encode(values, version))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_what_a_table_writes_it_reads_again(table, version):
    fields = fields_of(table.frame({}, version)[4:])
    found, left_over = table.decode(fields, version)
    assert ([str(table.id), *found.values()], left_over) == (fields, 0)


@pytest.mark.parametrize(
    ("table", "size"),
    [
        (layouts.TICK_PRICE, "size"),
        (layouts.TICK_SIZE, "size"),
        (layouts.REAL_TIME_BAR, "volume"),
        (data_layouts.TICK_BY_TICK_LAST, "size"),
        (data_layouts.TICK_BY_TICK_BID_ASK, "askSize"),
        (data_layouts.HISTORICAL_DATA_UPDATE, "volume"),
        (data_layouts.PNL_SINGLE, "position"),
    ],
    ids=lambda one: getattr(one, "name", one),
)
def test_below_163_a_size_loses_its_fraction_because_old_clients_read_whole_numbers(table, size):
    def written(version):
        return table.decode(fields_of(table.frame({size: 150.75}, version)[4:]), version)[0][size]

    assert (written(157), written(176)) == ("150", "150.75")


def test_below_163_the_volumes_of_a_history_lose_their_fractions():
    bar: dict[str, Value] = {"nBars": 1, "open.0": 10.5, "volume.0": 0.9}
    written = [fields_of(layouts.HISTORICAL_DATA.frame(bar, version)[4:]) for version in VERSIONS]
    assert [(fields[6], fields[10]) for fields in written] == [("10.5", "0"), ("10.5", "0.9")]


def test_a_number_of_another_library_is_written_like_one_of_python():
    values: dict[str, Value] = {"reqId": 1, "tickType": 0, "size": np.float64(2.5)}
    assert fields_of(layouts.TICK_SIZE.frame(values)[4:]) == ["2", "6", "1", "0", "2.5"]


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
