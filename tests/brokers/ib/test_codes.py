"""The table of IB's codes, and what an operator's own file may say."""

import re
from pathlib import Path

import pytest

from brokers.ib.codes import CodeClass, code_table
from shared.errors import ConfigError
from shared.events import OrderUnknown
from tests.brokers.ib.peers import ENTRY, Notebook, ScriptedTws, ib_broker, open_order

NAMED = frozenset((
    *(100, 101, 103, 104, 105, 110, 135, 161, 162, 200, 201, 202, 309, 320, 321, 322, 326, 329, 354, 366, 399, 404),
    *(420, 434, 435, 436, 502, 504, 507, 1100, 1101, 1102, 1300, 2100, 2101, 2103, 2104, 2105, 2106, 2107, 2108),
    *(2109, 2110, 2158, 2174, 10006, 10089, 10090, 10147, 10148, 10167, 10168, 10186, 10189, 10197, 10311, 10314),
    10349,
))  # fmt: skip
"""The codes named in chapters 3 and 4 of TWS.md."""
OTHER_NUMBERS = frozenset({102, 159, 175, 250, 308, 609, 1000, 4001, 4002, 7496, 7497})
"""Ports, quantities, versions, order ids and a page in those chapters, which look like codes."""
DOCUMENT = Path(__file__).parents[4] / "shared" / "TWS.md"


def test_every_code_that_the_reference_names_has_a_class():
    assert NAMED - set(code_table().codes) == set()


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the reference is not part of a clone")
def test_the_list_of_named_codes_is_that_of_the_reference():
    text = DOCUMENT.read_text(encoding="utf-8")
    chapters = text[text.index("## 3.") : text.index("## 5.")]
    numbers = {int(number) for number in re.findall(r"(?<![#\w.:\-])(\d{3,5})(?![\w:%]|[.\-,]\w)", chapters)}
    assert numbers - OTHER_NUMBERS == NAMED


def test_a_file_of_the_operator_overrides_and_adds_codes(tmp_path):
    mine = tmp_path / "codes.toml"
    mine.write_text('[notice]\n202 = "only a note here"\n87654 = "new"\n[ask]\n399 = "look"\n', encoding="utf-8")
    table = code_table(str(mine))
    classes = [table.class_of(code) for code in (202, 87_654, 399, 201)]
    assert classes == [CodeClass.NOTICE, CodeClass.NOTICE, CodeClass.ASK, CodeClass.ORDER_FINAL]
    assert code_table().class_of(202) is CodeClass.ORDER_FINAL


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[notices]\n1 = "x"\n', "1: class notices, allowed are [notice], [data], [order_final], [session], [ask]"),
        ('[ask]\n\nabc = "x"\n', "3: [ask] abc = 'x', allowed is a code of IB: a number up to 999999"),
        ("[ask]\n103 = 4\n", "2: [ask] 103 = 4, allowed is its meaning as a text"),
        (
            '[ask]\n103 = "x"\n[data]\n103 = "y"\n',
            "4: [data] 103 = 'y', but the code stands in [ask] too, allowed is one class",
        ),
        ('103 = "x"\n', "1: class 103, allowed are [notice], [data], [order_final], [session], [ask]"),
    ],
    ids=["class", "number", "meaning", "twice", "no class"],
)
def test_a_mistake_in_it_is_one_line_with_its_place(tmp_path, text, line):
    mine = tmp_path / "codes.toml"
    mine.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        code_table(str(mine))
    assert caught.value.faults == [f"{mine}:{line}"]


def test_all_mistakes_are_told_at_once(tmp_path):
    mine = tmp_path / "codes.toml"
    mine.write_text('[ask]\nx = "a"\ny = "b"\n[wrong]\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        code_table(str(mine))
    places = [fault.removeprefix(f"{mine}:").partition(":")[0] for fault in caught.value.faults]
    assert places == ["2", "3", "4"]


@pytest.mark.parametrize("content", [None, b"[ask\n", b"\xff\xfe"], ids=["absent", "no TOML", "no text"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    mine = tmp_path / "mine.toml"
    if content is not None:
        mine.write_bytes(content)
    with pytest.raises(ConfigError, match=r"mine\.toml") as caught:
        ib_broker(1, Notebook(), codes_file=str(mine))
    assert "\n" not in str(caught.value)


async def test_the_operators_class_decides_what_a_message_means(tmp_path):
    mine = tmp_path / "codes.toml"
    mine.write_text('[notice]\n10999 = "harmless"\n', encoding="utf-8")
    notebook = Notebook()
    async with ScriptedTws() as tws:
        tws.answers["5"] = [open_order(ENTRY, order_id=55), "53|1|"]
        broker = ib_broker(tws.port, notebook, codes_file=str(mine))
        await broker.connect()
        tws.say("4|2|55|10999|harmless||", "4|2|55|10998|who knows||")
        await broker.server_time()
        await broker.disconnect()
    assert [event.reason for event in notebook.of(OrderUnknown)] == ["10998 who knows"]
