import pytest

from research.tear_sheet.words import money, number, percent, short, short_percent


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (number(1234.5), "1,234.50"),
        (number(-0.004), "0.00"),
        (number(-1.0), "\u22121.00"),
        (number(2.0, sign=True), "+2.00"),
        (number(0.0, sign=True), "0.00"),
        (number(None), "n/a"),
        (number(float("nan")), "n/a"),
        (percent(12.345), "12.35\u00a0%"),
        (percent(123.45), "123.5\u00a0%"),
        (percent(None), "n/a"),
        (money(1234.56), "1,235"),
        (money(-12.345, sign=True), "\u221212.35"),
        (short(0), "0"),
        (short(1_250_000), "1.25\u00a0M"),
        (short(-950_000), "\u2212950\u00a0k"),
        (short_percent(-2.5), "\u22122.5\u00a0%"),
    ],
)
def test_figures_read_as_people_write_them(text, wanted):
    assert text == wanted
