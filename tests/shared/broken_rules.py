"""Broken configurations whose keys are each allowed but do not fit together, and the newer keys of trading."""

LAST = 'reason = "to be tested"'

BROKEN_RULES = {
    "one client id for two connections": (
        "client_id = 7",
        "client_id = 8",
        [
            (
                "4: broker.data_client_id = 8: is client_id too, the gateway would refuse the second connection, "
                "must be another number"
            )
        ],
    ),
    "one client id for two connections, both written": (
        "client_id = 7",
        "client_id = 12\ndata_client_id = 12",
        [
            (
                "7: broker.data_client_id = 12: is client_id too, the gateway would refuse the second connection, "
                "must be another number"
            )
        ],
    ),
    "a data client id that no gateway takes": (
        "client_id = 7",
        "client_id = 7\ndata_client_id = -1",
        ["7: broker.data_client_id = -1: must be 0 to 2147483647"],
    ),
    "quotes as a word": (
        "client_id = 7",
        'client_id = 7\nquotes = "on"',
        ['7: broker.quotes = "on": must be true or false'],
    ),
    "a restart at an hour that no day has": (
        "entry_after_open_s = 60",
        'entry_after_open_s = 60\ngateway_restart_at = "24:00"',
        ['12: session.gateway_restart_at = "24:00": must be a time of day such as "23:45", or empty'],
    ),
    "a restart written as a local time of TOML": (
        "entry_after_open_s = 60",
        "entry_after_open_s = 60\ngateway_restart_at = 23:45:00",
        ['12: session.gateway_restart_at = 23:45:00: must be a text, a time of day such as "23:45", or empty'],
    ),
    "a zone that does not exist": (
        "entry_after_open_s = 60",
        'entry_after_open_s = 60\ngateway_zone = "America/NewYork"',
        [
            (
                '12: session.gateway_zone = "America/NewYork": no such time zone on this machine, '
                "must be one such as America/New_York"
            )
        ],
    ),
    "a zone that leaves its folder": (
        "entry_after_open_s = 60",
        'entry_after_open_s = 60\ngateway_zone = "../../etc/passwd"',
        [
            (
                '12: session.gateway_zone = "../../etc/passwd": no such time zone on this machine, '
                "must be one such as America/New_York"
            )
        ],
    ),
    "a quiet time of a day": (
        "entry_after_open_s = 60",
        "entry_after_open_s = 60\nquiet_before_restart_s = 86400",
        ["12: session.quiet_before_restart_s = 86400: must be 0 to 7200"],
    ),
    "a trailing stop inside the spread": (
        "stop_pct = 1",
        "stop_pct = 1\ntrail_pct = 0.01",
        [
            (
                "39: strategy[sma].exits.trail_pct = 0.01: must be 0 (no trailing) or at least 0.05, "
                "or noise ends the position"
            )
        ],
    ),
    "a trailing stop inside the noise": (
        "stop_atr = 3",
        "stop_atr = 3, trail_atr = 0.05",
        [
            (
                "46: strategy[momentum].exits.trail_atr = 0.05: must be 0 (no trailing) or at least 0.1, "
                "or noise ends the position"
            )
        ],
    ),
    "a trailing stop of the other method": (
        "stop_pct = 1",
        "stop_pct = 1\ntrail_atr = 2",
        ["39: strategy[sma].exits.trail_atr: unknown key, did you mean trail_pct?"],
    ),
    "a holding shorter than a row": (
        "stop_pct = 1",
        "stop_pct = 1\nmax_holding_s = 30",
        ["39: strategy[sma].exits.max_holding_s = 30: must be 0 (never) or at least bars.interval_s = 60"],
    ),
    "a policy for stops that nobody offers": (
        "limit_offset_bps = 5",
        'limit_offset_bps = 5\nentries_on_reconnect = "drop"',
        ['51: execution.entries_on_reconnect = "drop": must be "cancel" or "keep"'],
    ),
    "a self-trade policy that does not exist": (
        "limit_offset_bps = 5",
        'limit_offset_bps = 5\nself_trade = "net"',
        ['51: execution.self_trade = "net": must be "refuse" or "allow"'],
    ),
    "an order larger than the position it makes": (
        "max_order_quantity = 500",
        "max_order_quantity = 1001",
        ["55: risk.max_order_quantity = 1001: must be at most max_position_quantity = 1000, which it is a part of"],
    ),
    "an order worth more than the position it makes": (
        "max_order_notional = 60_000",
        "max_order_notional = 100_001",
        ["56: risk.max_order_notional = 100001: must be at most max_position_notional = 100000, which it is a part of"],
    ),
    "more net than gross": (
        'max_net_exposure = "none"',
        "max_net_exposure = 1.5",
        ["64: risk.max_net_exposure = 1.5: must be at most max_gross_exposure = 1.0, which it is a part of"],
    ),
    "groups without a file of groups": (
        'max_group_exposure = "none"',
        "max_group_exposure = 0.3",
        [
            (
                "66: risk.max_group_exposure = 0.3: needs groups_file, which is not given; "
                'name the file or lift the limit with "none"'
            )
        ],
    ),
    "betas without a file of betas": (
        'max_beta_exposure = "none"',
        "max_beta_exposure = 1",
        [
            (
                "65: risk.max_beta_exposure = 1: needs groups_file, which is not given; "
                'name the file or lift the limit with "none"'
            )
        ],
    ),
    "an expected loss below the value at risk": (
        'max_var_pct = "none"\nmax_cvar_pct = "none"',
        "max_var_pct = 4\nmax_cvar_pct = 3",
        ["67: risk.max_var_pct = 4: must be at most max_cvar_pct = 3, which it is a part of"],
    ),
    "a day that may lose more than its week": (
        'max_day_loss = "none"\nmax_week_loss = "none"',
        "max_day_loss = 2_000\nmax_week_loss = 1_000",
        ["70: risk.max_day_loss = 2000: must be at most max_week_loss = 1000, which it is a part of"],
    ),
    "a strategy and an instrument that may lose more than the day": (
        (
            'max_day_loss = "none"\nmax_week_loss = "none"\nmax_drawdown_pct = "none"\n'
            'max_strategy_day_loss = "none"\nmax_instrument_day_loss = "none"'
        ),
        (
            'max_day_loss = 500\nmax_week_loss = "none"\nmax_drawdown_pct = "none"\n'
            "max_strategy_day_loss = 600\nmax_instrument_day_loss = 700"
        ),
        [
            "73: risk.max_strategy_day_loss = 600: must be at most max_day_loss = 500, which it is a part of",
            "74: risk.max_instrument_day_loss = 700: must be at most max_day_loss = 500, which it is a part of",
        ],
    ),
    "a second with more orders than its minute": (
        'max_orders_per_s = "none"\nmax_orders_per_min = "none"',
        "max_orders_per_s = 50\nmax_orders_per_min = 20",
        ["79: risk.max_orders_per_s = 50: must be at most max_orders_per_min = 20, which it is a part of"],
    ),
    "a minute with more orders than its day": (
        'max_orders_per_min = "none"\nmax_orders_per_day = "none"',
        "max_orders_per_min = 50\nmax_orders_per_day = 20",
        ["80: risk.max_orders_per_min = 50: must be at most max_orders_per_day = 20, which it is a part of"],
    ),
    "a limit lifted by a word that does not lift": (
        'max_day_loss = "none"',
        'max_day_loss = "off"',
        ['70: risk.max_day_loss = "off": must be above 0 and at most 1e+12, or "none"'],
    ),
    "a loss limit below nothing": (
        'max_day_loss = "none"',
        "max_day_loss = -500",
        ['70: risk.max_day_loss = -500: must be above 0 and at most 1e+12, or "none"'],
    ),
    "a count that is a fraction": (
        'max_rejects_in_a_row = "none"',
        "max_rejects_in_a_row = 2.5",
        ['77: risk.max_rejects_in_a_row = 2.5: must be 1 to 1000000, or "none"'],
    ),
    "a loss limit left out": (
        'max_day_loss = "none"\n',
        "",
        [
            (
                "54: risk.max_day_loss: missing, must be a number, above 0 and at most 1e+12, "
                'or "none", for example max_day_loss = 10000'
            )
        ],
    ),
    "nobody who answers for the limits": (
        'owner = "a test"',
        'owner = ""',
        ['88: risk.owner = "": must be the name of the person who answers for these limits'],
    ),
    "a review on a day that no calendar has": (
        'reviewed_on = "2026-11-21"',
        'reviewed_on = "2026-02-30"',
        ['89: risk.reviewed_on = "2026-02-30": there is no such day, must be one such as 2026-11-21'],
    ),
    "a review on a date of another shape": (
        'reviewed_on = "2026-11-21"',
        'reviewed_on = "21.11.2026"',
        ['89: risk.reviewed_on = "21.11.2026": must be a day such as 2026-11-21'],
    ),
}
