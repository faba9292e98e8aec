import pytest

from shared.errors import ConfigError
from shared.indicators.feature_name import feature_of


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("rsi(14)", "rsi(14)"),
        ("RSI( period = 14 )", "rsi(14)"),
        ("rsi", "rsi(14)"),
        ("macd(12, 26, signal=9).signal", "macd(12,26,9).signal"),
        ("sma(20).sma", "sma(20)"),
        ("rank(rsi(14))", "rank(rsi(14))"),
        ("rank(zscore(rsi))", "rank(zscore(rsi(14)))"),
        ("zscore", "zscore(20)"),
        ("zscore(30)", "zscore(30)"),
        ("zscore(period=30)", "zscore(30)"),
        ("rank(zscore(20))", "rank(zscore(20))"),
    ],
)
def test_two_ways_of_saying_the_same_are_one_feature(written, canonical):
    assert str(feature_of(written)) == canonical
    assert feature_of(written) == feature_of(canonical)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("rsy(14)", r"feature 'rsy\(14\)': no indicator 'rsy', allowed: openbell features list, did you mean 'rsi'\?"),
        ("rsi(0)", r"feature 'rsi\(0\)': rsi: period 0, allowed: whole numbers from \d"),
        ("rsi(14.5)", r"feature 'rsi\(14.5\)': rsi: period 14.5, allowed: whole numbers from \d"),
        ("rsi(True)", r"feature 'rsi\(True\)': True is no number, allowed: parameters are numbers"),
        ("rsi(14, 3)", r"feature 'rsi\(14, 3\)': 2 parameters, allowed: period"),
        ("rsi(14, period=3)", r"feature 'rsi\(14, period=3\)': period twice or without a name"),
        ("rsi(length=3)", r"feature 'rsi\(length=3\)': rsi: unknown parameter length, allowed: period"),
        ("macd", r"feature 'macd': macd has several outputs, allowed: one of \.\w+, \.signal, \.\w+"),
        ("macd.nothing", r"feature 'macd.nothing': no output .nothing, allowed: "),
        ("rsi(14", r"feature 'rsi\(14': not readable, allowed: such as rsi\(14\)"),
        ("__import__('os')", r"feature .*: no indicator '__import__', allowed: openbell features list"),
        ("[rsi][0]", r"feature '\[rsi\]\[0\]': not readable"),
        ("", r"feature '': not readable"),
        ("rank()", r"feature 'rank\(\)': rank takes a feature"),
        ("rsi(" + "1" * 300 + ")", r"feature .*: 305 characters, allowed: at most 200"),
        ("rsi\x00", r"feature 'rsi\\x00': not readable"),
    ],
)
def test_a_wrong_name_is_answered_with_one_line(written, said):
    with pytest.raises(ConfigError, match=rf"^{said}") as caught:
        feature_of(written)
    assert len(caught.value.faults) == 1
    assert "\n" not in str(caught.value)
