"""Broken configurations of the trading sections and what the operator reads: every line is written by hand."""

from tests.fakes.limits import as_toml as limits_as_toml

# The line numbers in this file count from `mode` = 1.
WORKING = """\
mode = "paper"
account = ""

[broker]
port = 4010
client_id = 7
follow_gateway_clock = true

[session]
calendar = "XNYS"
entry_after_open_s = 60
entry_before_close_s = 900
flatten_before_close_s = 300

[universe]
symbols = [
    "SPY",
    "IBM",
]
tick = 0.01

[bars]
interval_s = 60

[[strategy]]
name = "sma"
kind = "sma_cross"
symbols = ["SPY"]
params = { fast = 5, slow = 20 }
allocation = 0.5

[strategy.sizing]
method = "fixed_fraction"
fraction = 0.1

[strategy.exits]
method = "percent"
stop_pct = 1
target_pct = 2.0

[[strategy]]
name = "momentum"
kind = "mine/momentum.py"
allocation = 0.5
sizing = { method = "atr", risk_fraction = 0.01, atr_period = 14, atr_multiple = 2 }
exits = { method = "atr", atr_period = 14, stop_atr = 3, target_atr = 0 }

[execution]
entry = "market"
limit_offset_bps = 5
entry_timeout_s = 120
acknowledge_within_s = 10

[risk]
max_order_quantity = 500
max_order_notional = 60_000
max_position_quantity = 1000
max_position_notional = 100_000
max_gross_exposure = 1.0
price_collar_pct = 5
price_jump_pct_max = 20
price_age_max_s = 120
protect_within_s = 5
""" + limits_as_toml()
RISK = WORKING[WORKING.index("[risk]") :]
SIZING = WORKING[WORKING.index("[strategy.sizing]") : WORKING.index("[strategy.exits]")]
NEEDED_BY_RISK = (
    "max_order_quantity = 500, max_order_notional = 60000, max_position_quantity = 1000, "
    "max_position_notional = 100000, max_gross_exposure = 1, price_collar_pct = 5, price_jump_pct_max = 20, "
    "price_age_max_s = 120, protect_within_s = 5 and 27 more (docs/configuration.md)"
)

# (what is replaced, by what, the lines that must appear: all of them and no other)
BROKEN_TRADING = {
    "a port that cannot be": ("port = 4010", "port = 74970", ["5: broker.port = 74970: must be 1 to 65535"]),
    "a port as text": (
        "port = 4010",
        'port = "4010"',
        ['5: broker.port = "4010": must be a whole number, 1 to 65535'],
    ),
    "a fraction where whole numbers are meant": (
        "client_id = 7",
        "client_id = 7.5",
        ["6: broker.client_id = 7.5: must be a whole number, 0 to 2147483647"],
    ),
    "a mode that does not exist": (
        'mode = "paper"',
        'mode = "demo"',
        ['1: mode = "demo": must be "paper" or "live"'],
    ),
    "a live account in paper": (
        'account = ""',
        'account = "U1234567"',
        ['2: account = "U1234567": mode is paper, must be empty or a paper account (D...)'],
    ),
    "live without an account, on a followed clock": (
        'mode = "paper"',
        'mode = "live"',
        [
            '1: account: missing, mode = "live" needs the account id that the broker must report',
            "7: broker.follow_gateway_clock = true: mode is live, must be false",
        ],
    ),
    "a paper account in live": (
        'mode = "paper"\naccount = ""',
        'mode = "live"\naccount = "DU1234567"',
        [
            '2: account = "DU1234567": is a paper account (D...), mode is live',
            "7: broker.follow_gateway_clock = true: mode is live, must be false",
        ],
    ),
    "an account of the wrong type": (
        'account = ""',
        "account = 5",
        ["2: account = 5: must be a text, an account id, or empty"],
    ),
    "a switch as text": (
        "follow_gateway_clock = true",
        'follow_gateway_clock = "yes"',
        ['7: broker.follow_gateway_clock = "yes": must be true or false'],
    ),
    "entries after the flatten": (
        "entry_before_close_s = 900",
        "entry_before_close_s = 100",
        [
            (
                "12: session.entry_before_close_s = 100: must be at least flatten_before_close_s = 300, "
                "or entries follow the flatten"
            )
        ],
    ),
    "an empty calendar": (
        '"XNYS"',
        '""',
        ['10: session.calendar = "": must be a calendar name of exchange_calendars'],
    ),
    "a symbol in small letters, on its own line": (
        '"IBM"',
        '"ibm"',
        [
            (
                '18: universe.symbols[2] = "ibm": must be up to 12 uppercase letters, digits, dots '
                'or blanks, such as "SPY"'
            )
        ],
    ),
    "a colon would break every order reference": (
        '"IBM"',
        '"IB:M"',
        [
            (
                '18: universe.symbols[2] = "IB:M": must be up to 12 uppercase letters, digits, dots '
                'or blanks, such as "SPY"'
            )
        ],
    ),
    "a symbol twice": ('"IBM"', '"SPY"', ['18: universe.symbols: "SPY" stands there twice']),
    "a symbol from outside": (
        'symbols = ["SPY"]',
        'symbols = ["GLD"]',
        ['28: strategy[sma].symbols: "GLD" is not in universe.symbols, which has SPY, IBM'],
    ),
    "no symbols": (
        'symbols = [\n    "SPY",\n    "IBM",\n]',
        "symbols = []",
        ["16: universe.symbols = []: must be a list of at least one symbol"],
    ),
    "a tick that is not a number": (
        "tick = 0.01",
        "tick = nan",
        ["20: universe.tick = nan: must be above 0 and at most 1000"],
    ),
    "an interval between the five-second bars": (
        "interval_s = 60",
        "interval_s = 62",
        ["23: bars.interval_s = 62: must be a multiple of 5 up to 3600, or 86400 (daily bars)"],
    ),
    "rows that wait longer than their interval": (
        "interval_s = 60",
        "interval_s = 5\nrow_grace_s = 5.5",
        ["24: bars.row_grace_s = 5.5: must be below interval_s = 5"],
    ),
    "a strategy name that cannot stand in an order reference": (
        'name = "sma"',
        'name = "SMA:1"',
        ['26: strategy[SMA:1].name = "SMA:1": must be 1 to 24 of a-z, 0-9 and _'],
    ),
    "two strategies of one name": (
        'name = "momentum"',
        'name = "sma"',
        ['42: strategy[sma].name = "sma": a second strategy of this name, must be unique'],
    ),
    "more than the whole equity": (
        "allocation = 0.5\nsizing",
        "allocation = 0.75\nsizing",
        [
            (
                "44: strategy[momentum].allocation = 0.75: all allocations together are 1.25, "
                "must be at most 1 (the whole equity)"
            )
        ],
    ),
    "parameters that are dates and lists": (
        "fast = 5, slow = 20",
        "fast = 2026-01-01, slow = [20]",
        [
            "29: strategy[sma].params.fast = 2026-01-01: must be a number, a text or a switch",
            "29: strategy[sma].params.slow = [20]: must be a number, a text or a switch",
        ],
    ),
    "parameters that are no table": (
        "params = { fast = 5, slow = 20 }",
        "params = 5",
        ["29: strategy[sma].params = 5: must be a table such as { fast = 5, slow = 20 }"],
    ),
    "a sizing nobody knows": (
        'method = "fixed_fraction"',
        'method = "kelly"',
        ['33: strategy[sma].sizing.method = "kelly": must be "fixed_fraction" or "atr"'],
    ),
    "exits without a method": (
        'method = "percent"\n',
        "",
        ['36: strategy[sma].exits.method: missing, must be "percent" or "atr"'],
    ),
    "sizing left out": (
        SIZING,
        "",
        [
            (
                "25: strategy[sma].sizing: missing table [strategy.sizing], it needs "
                'method = "fixed_fraction", fraction = 0.1'
            )
        ],
    ),
    "keys of the other method, in an inline table": (
        "risk_fraction = 0.01",
        "fraction = true",
        [
            "45: strategy[momentum].sizing.fraction: unknown key, did you mean risk_fraction?",
            (
                "45: strategy[momentum].sizing.risk_fraction: missing, must be a number, above 0 and "
                "at most 1, for example risk_fraction = 0.01"
            ),
        ],
    ),
    "an order type that does not exist": (
        'entry = "market"',
        'entry = "moc"',
        ['49: execution.entry = "moc": must be "market" or "limit"'],
    ),
    "a misspelled limit": (
        "max_position_quantity = 1000",
        "max_positon = 1000",
        [
            (
                "54: risk.max_position_quantity: missing, must be a whole number, 1 to 10000000, "
                "for example max_position_quantity = 1000"
            ),
            "57: risk.max_positon: unknown key, did you mean max_position_quantity?",
        ],
    ),
    "a key that resembles none": (
        "protect_within_s = 5",
        "protect_within_s = 5\nzzz = 1",
        [
            (
                "64: risk.zzz: unknown key, allowed: max_order_quantity, max_order_notional, "
                "max_position_quantity, max_position_notional, max_gross_exposure, price_collar_pct, "
                "price_jump_pct_max, price_age_max_s, protect_within_s and 28 more (docs/configuration.md)"
            )
        ],
    ),
    "a missing limit": (
        "price_collar_pct = 5\n",
        "",
        [
            (
                "54: risk.price_collar_pct: missing, must be a number, above 0 and at most 50, "
                "for example price_collar_pct = 5"
            )
        ],
    ),
    "a limit of nothing": (
        "max_order_quantity = 500",
        "max_order_quantity = 0",
        ["55: risk.max_order_quantity = 0: must be 1 to 10000000"],
    ),
    "a collar that holds nothing": (
        "price_collar_pct = 5",
        "price_collar_pct = 51",
        ["60: risk.price_collar_pct = 51: must be above 0 and at most 50"],
    ),
    "a limit as a switch": (
        "max_gross_exposure = 1.0",
        "max_gross_exposure = true",
        ["59: risk.max_gross_exposure = true: must be a number, above 0 and at most 10"],
    ),
    "no limits at all": (RISK, "", [f"1: risk: missing table [risk], it needs {NEEDED_BY_RISK}"]),
    "an unknown table": (
        "[bars]",
        "[barz]",
        ["22: barz: unknown key, did you mean bars?"],
    ),
    "limits that are no table": (
        RISK,
        "[replay]\n[runtime]\nheartbeat_every_s = { a = 1 }",
        [
            f"1: risk: missing table [risk], it needs {NEEDED_BY_RISK}",
            "56: runtime.heartbeat_every_s = {...}: must be a number, above 0 and at most 3600",
        ],
    ),
    "text that is not TOML": (
        "client_id = 7",
        "client_id = ",
        ["6: not valid TOML: Invalid value, column 13"],
    ),
    "a key twice": (
        "client_id = 7",
        "client_id = 7\nclient_id = 8",
        ["7: not valid TOML: Cannot overwrite a value, column 14"],
    ),
    "a text without an end": (
        RISK,
        'x = "',
        ["54: not valid TOML: Unterminated string at the end of the file"],
    ),
}
