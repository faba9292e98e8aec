import asyncio
import json
import math
import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.simulated.gateway.protocol import data_layouts, layouts, order_layouts, reading
from brokers.simulated.gateway.protocol.data_requests import ReqMatchingSymbols
from brokers.simulated.gateway.protocol.requests import PlaceOrder, ReqContractDetails, ReqCurrentTime
from brokers.simulated.gateway.protocol.wire import (
    FRAME_BYTES_MAX,
    FieldReader,
    Unreadable,
    fields_of,
    frame,
    number_of,
    read_payload,
    text_of,
)
from tests.architecture.source import ROOT

CAPTURE = ROOT.parent / "shared/data/tws/wire_messages.jsonl"
SENT = {
    layout.id: layout
    for layout in (
        order_layouts.OPEN_ORDER,
        layouts.ORDER_STATUS,
        layouts.EXECUTION,
        layouts.COMMISSION,
        order_layouts.COMPLETED_ORDER,
        layouts.COMPLETED_ORDERS_END,
        layouts.CONTRACT_DATA,
        layouts.CONTRACT_DATA_END,
        layouts.MANAGED_ACCOUNTS,
        layouts.NEXT_VALID_ID,
        layouts.ERROR,
        data_layouts.SYMBOL_SAMPLES,
    )
}
RECORDED_AT, ORDER_RECORDED_AT = 169, 165
"""Told by their last fields: the answers lack what came with 170, the order lacks what came with 166."""


def recorded(kinds, direction="server"):
    """The fields of recorded messages of these ids, without the quirks of the recording.

    The recording closes some messages with one `|` too many; it reads as an empty field at the end.
    """
    if not CAPTURE.exists():
        return
    for line in CAPTURE.read_text().splitlines():
        entry = json.loads(line)
        fields = entry["msg"].split("|")[:-1]
        if fields and entry["dir"] == direction and fields[0].isdigit() and int(fields[0]) in kinds and len(fields) > 1:
            yield pytest.param(fields, id=f"{entry['session']}-{entry['seq']}")


@pytest.mark.recorded
@pytest.mark.skipif(not CAPTURE.exists(), reason=f"no recorded messages at {CAPTURE}")
@pytest.mark.parametrize("fields", list(recorded({3, 4, 5, 9, 10, 11, 15, 52, 59, 79, 101})))
def test_a_recorded_message_goes_through_its_table_unchanged(fields):
    layout = SENT[int(fields[0])]
    values, left_over = layout.decode(fields, RECORDED_AT)
    written = [text_of(value) for value in layout.encode(values, RECORDED_AT)]
    assert written == fields[: len(written)]
    assert fields[len(written) :] == [""] * left_over
    assert left_over <= 1


@pytest.mark.recorded
@pytest.mark.skipif(not CAPTURE.exists(), reason=f"no recorded messages at {CAPTURE}")
def test_a_recorded_order_is_read_and_written_unchanged():
    (fields,) = (entry.values[0] for entry in recorded({3}, "client"))
    order = reading.decode(fields, ORDER_RECORDED_AT)
    assert isinstance(order, PlaceOrder)
    assert (order.order_id, order.contract.symbol, order.side, order.quantity) == (13, "TSLA", "BUY", 100.0)
    assert (order.order_type, order.tif, order.transmit, order.limit_price) == ("MKT", "DAY", True, None)
    written = [text_of(value) for value in order_layouts.PLACE_ORDER.encode(order.raw, ORDER_RECORDED_AT)]
    assert written == fields[: len(written)]
    assert len(fields) - len(written) <= 1


@pytest.mark.recorded
@pytest.mark.skipif(not CAPTURE.exists(), reason=f"no recorded messages at {CAPTURE}")
def test_a_recorded_question_is_read():
    (details,) = (reading.decode(entry.values[0], RECORDED_AT) for entry in recorded({9}, "client"))
    (samples,) = (reading.decode(entry.values[0], RECORDED_AT) for entry in recorded({81}, "client"))
    assert isinstance(details, ReqContractDetails)
    assert isinstance(samples, ReqMatchingSymbols)
    assert (details.req_id, details.contract.symbol, details.contract.exchange) == (9000, "TSLA", "SMART")
    assert (samples.req_id, samples.pattern) == (9000, "TSLA")


@pytest.mark.recorded
@pytest.mark.skipif(not CAPTURE.exists(), reason=f"no recorded messages at {CAPTURE}")
def test_a_recorded_fill_has_the_meaning_the_table_says():
    messages = {fields.values[0][0]: fields.values[0] for fields in recorded({11, 59})}
    execution, _ = layouts.EXECUTION.decode(messages["11"])
    commission, _ = layouts.COMMISSION.decode(messages["59"])
    assert (execution["side"], execution["shares"], execution["price"]) == ("BOT", "100", "196.52")
    assert (execution["permId"], execution["execId"]) == ("1376327563", "00025b46.63f8f39c.01.01")
    assert (commission["execId"], commission["commission"]) == ("00025b46.63f8f39c.01.01", "1.0")


@pytest.mark.parametrize(
    ("layout", "length"),
    [
        (layouts.ORDER_STATUS, 12),
        (layouts.EXECUTION, 31),
        (layouts.COMMISSION, 8),
        (layouts.POSITION, 16),
        (layouts.PORTFOLIO, 20),
        (layouts.TICK_PRICE, 7),
        (layouts.REAL_TIME_BAR, 11),
        (layouts.ERROR, 6),
    ],
)
def test_messages_that_clients_unpack_exactly_have_exactly_those_fields(layout, length):
    assert len(layout.encode({})) == length


def test_a_value_without_a_place_in_the_table_is_a_fault():
    with pytest.raises(AssertionError, match="no field"):
        layouts.ERROR.encode({"colour": "red"})


@pytest.mark.parametrize(
    "text", ["", "1.7976931348623157e+308", "1.7976931348623157E308", "170141183460469231731687303715884105727"]
)
def test_every_spelling_of_an_unset_double_is_none(text):
    assert number_of("lmtPrice", text) is None


@pytest.mark.parametrize("text", ["Infinite", "Infinity"])
def test_both_spellings_of_infinity_are_read(text):
    assert number_of("competeAgainstBestOffset", text) == math.inf


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100.0, "100"),
        (0.01, "0.01"),
        (1e-7, "0.0000001"),
        (True, "1"),
        (None, ""),
        (float("inf"), "Infinite"),
        (-0.0, "0"),
        (-1.0, "-1"),
        (-99.5, "-99.5"),
        (1e-13, "0"),
        (-1e-13, "0"),
        (1e20, "100000000000000000000"),
        (1381248000.25, "1381248000.25"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (False, "0"),
        (np.float64(2.5), "2.5"),
        (np.float64(300.0), "300"),
    ],
)
def test_values_are_written_as_tws_writes_them(value, text):
    assert text_of(value) == text


@given(st.floats(-1e15, 1e15, allow_subnormal=False))
def test_a_written_number_reads_as_the_same_number_and_has_no_exponent(value):
    assert float(text_of(value)) == pytest.approx(value, rel=1e-15, abs=1e-12)
    assert "e" not in text_of(value)
    assert not text_of(value).endswith(".0")


def test_nan_never_goes_on_the_wire():
    with pytest.raises(AssertionError, match="NaN"):
        text_of(float("nan"))


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_a_frame_holds_what_was_put_into_it(fields):
    payload = frame(fields)[4:]
    assert payload.count(b"\0") == len(fields)
    assert fields_of(payload) == fields


@given(st.lists(st.text(max_size=8), max_size=130), st.sampled_from(sorted(reading.REQUESTS)))
def test_any_fields_are_read_or_refused_but_never_crash(fields, kind):
    with suppress(Unreadable):
        reading.decode([str(kind), *fields])


def test_a_short_message_names_the_field_it_lacks():
    with pytest.raises(Unreadable, match="'order_id'"):
        reading.decode(["4", "1"])


def test_fields_behind_the_known_ones_are_passed_over():
    assert reading.decode(["49", "1", "of a newer client"]) == ReqCurrentTime(1)


@pytest.mark.parametrize("version", [157, 176])
@pytest.mark.parametrize("name", ["lmtPrice", "scalePriceIncrement", "dncFlag", "nConditions", "transmit"])
def test_an_order_with_a_field_that_is_no_number_is_refused_by_the_name_of_that_field(name, version):
    written = order_layouts.PLACE_ORDER.encode({"orderId": 1, "totalQuantity": 10}, version)
    read, _ = order_layouts.PLACE_ORDER.decode([text_of(value) for value in written], version)
    bad = ["3", *({**read, name: "many"}).values()]
    with pytest.raises(Unreadable, match=f"'{name}'.*'many'"):
        reading.decode(bad, version)


def test_a_field_that_is_not_a_number_is_named_with_its_text():
    with pytest.raises(Unreadable, match=r"'size'.*'ten'"):
        FieldReader(["ten"]).integer("size")


def reader_of(*pieces, ended=True):
    reader = asyncio.StreamReader()
    for piece in pieces:
        reader.feed_data(piece)
    if ended:
        reader.feed_eof()
    return reader


async def test_a_frame_that_arrives_byte_by_byte_is_read_whole():
    sent = frame((49, 1))
    reader = reader_of(ended=False)
    reading_it = asyncio.ensure_future(read_payload(reader))
    for at in range(len(sent)):
        reader.feed_data(sent[at : at + 1])
        await asyncio.sleep(0)
    assert await reading_it == sent[4:]


async def test_no_more_is_read_than_was_announced():
    reader = reader_of(frame(("a",)), frame(("b",)))
    assert [await read_payload(reader), await read_payload(reader), await read_payload(reader)] == [
        b"a\0",
        b"b\0",
        None,
    ]


@pytest.mark.parametrize("bytes_announced", [FRAME_BYTES_MAX + 1, 3 << 20, 0xFFFFFFFF])
async def test_a_frame_beyond_the_bound_is_refused_before_any_of_it_is_read(bytes_announced):
    reader = reader_of(struct.pack(">I", bytes_announced), ended=False)
    with pytest.raises(Unreadable, match=f"frame of {bytes_announced} bytes, allowed are {FRAME_BYTES_MAX}"):
        await read_payload(reader)


async def test_the_largest_allowed_frame_is_read():
    assert await read_payload(reader_of(struct.pack(">I", FRAME_BYTES_MAX), bytes(FRAME_BYTES_MAX))) == bytes(
        FRAME_BYTES_MAX
    )


@pytest.mark.parametrize("sent", [b"", b"\0\0", struct.pack(">I", 10) + b"4\0001"])
async def test_a_peer_that_goes_in_the_middle_of_a_frame_has_gone(sent):
    assert await read_payload(reader_of(sent)) is None


def test_bytes_that_are_no_text_are_read_as_replacement_characters():
    assert fields_of(b"4\0\xff\xfe\0" + b"no end") == ["4", "\ufffd\ufffd", "no end"]
