"""What no single key of config.toml can say: contradictions between keys.

Each rule reads the file's raw data and passes over whatever has the wrong type, so that these faults are
reported with the others and not one run later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from shared.config_cluster import the_address_is_of_the_backend
from shared.config_faults import Fault, as_toml, key_text, value_at
from shared.config_insiders import scaled_sizes_have_their_scores
from shared.config_limit_rules import group_limits_have_groups, limits_fit_together, the_review_has_a_day
from shared.config_lines import TomlPath
from shared.config_outside_rules import (
    a_certificate_is_used,
    alert_channels_have_what_they_need,
    alert_names_are_unique,
    alert_urls_are_of_their_kind,
    journal_url_names_a_database,
    mqtt_is_on_where_it_is_used,
    ports_are_not_shared,
)

_Data = Mapping[str, Any]
_ROUNDING = 1e-9
_DEFAULT_IDS = {"client_id": 7, "data_client_id": 8}
TRAIL_PCT_MIN = 0.05
TRAIL_ATR_MIN = 0.1
"""A stop that trails closer than this stands inside the noise, often inside the spread: it fills at once."""


def contradictions(data: _Data) -> list[Fault]:
    """Every contradiction in `data`, as (path, text)."""
    return [fault for rule in RULES for fault in rule(data)]


def _account_fits_mode(data: _Data) -> Iterator[Fault]:
    account = data.get("account", "")
    if not isinstance(account, str):
        return
    is_paper_account = account.startswith("D")
    if data.get("mode", "paper") == "live" and not account:
        yield ("mode",), 'account: missing, mode = "live" needs the account id that the broker must report'
    elif data.get("mode", "paper") == "live" and is_paper_account:
        yield ("account",), f"account = {as_toml(account)}: is a paper account (D...), mode is live"
    elif data.get("mode", "paper") == "paper" and account and not is_paper_account:
        yield (
            ("account",),
            f"account = {as_toml(account)}: mode is paper, must be empty or a paper account (D...)",
        )


def _clock_is_followed_in_paper_only(data: _Data) -> Iterator[Fault]:
    path = ("broker", "follow_gateway_clock")
    if value_at(data, path) is True and data.get("mode", "paper") == "live":
        yield path, "broker.follow_gateway_clock = true: mode is live, must be false"


def _each_connection_has_its_own_id(data: _Data) -> Iterator[Fault]:
    path = ("broker", "data_client_id")
    ids = {**_DEFAULT_IDS, **broker} if isinstance(broker := data.get("broker", {}), dict) else _DEFAULT_IDS
    if isinstance(of_data := ids["data_client_id"], int) and of_data == ids["client_id"]:
        text = "the gateway would refuse the second connection, must be another number"
        yield path, f"broker.data_client_id = {of_data}: is client_id too, {text}"


def _the_gateway_zone_exists(data: _Data) -> Iterator[Fault]:
    path = ("session", "gateway_zone")
    zone = value_at(data, path)
    if isinstance(zone, str) and zone and not _is_zone(zone):
        text = "no such time zone on this machine, must be one such as America/New_York"
        yield path, f"session.gateway_zone = {as_toml(zone)}: {text}"


def _trailing_stops_leave_room(data: _Data) -> Iterator[Fault]:
    for path, _ in _strategies(data):
        for name, least in (("trail_pct", TRAIL_PCT_MIN), ("trail_atr", TRAIL_ATR_MIN)):
            place = (*path, "exits", name)
            trail = value_at(data, place)
            if isinstance(trail, int | float) and 0 < trail < least:
                text = f"must be 0 (no trailing) or at least {least}, or noise ends the position"
                yield place, f"{key_text(place, data)} = {as_toml(trail)}: {text}"


def _holdings_outlast_a_row(data: _Data) -> Iterator[Fault]:
    interval = value_at(data, ("bars", "interval_s"))
    for path, _ in _strategies(data):
        place = (*path, "exits", "max_holding_s")
        longest = value_at(data, place)
        if isinstance(longest, int) and isinstance(interval, int) and 0 < longest < interval:
            text = f"must be 0 (never) or at least bars.interval_s = {interval}"
            yield place, f"{key_text(place, data)} = {longest}: {text}"


def _entries_end_before_the_flatten(data: _Data) -> Iterator[Fault]:
    path = ("session", "entry_before_close_s")
    last_entry, flatten = value_at(data, path), value_at(data, ("session", "flatten_before_close_s"))
    if isinstance(last_entry, int) and isinstance(flatten, int) and last_entry < flatten:
        allowed = f"must be at least flatten_before_close_s = {flatten}, or entries follow the flatten"
        yield path, f"session.entry_before_close_s = {last_entry}: {allowed}"


def _rows_close_within_the_interval(data: _Data) -> Iterator[Fault]:
    path = ("bars", "row_grace_s")
    grace, interval = value_at(data, path), value_at(data, ("bars", "interval_s"))
    if isinstance(grace, int | float) and isinstance(interval, int) and grace >= interval > 0:
        yield path, f"bars.row_grace_s = {as_toml(grace)}: must be below interval_s = {interval}"


def _names_are_unique(data: _Data) -> Iterator[Fault]:
    seen: set[str] = set()
    for path, strategy in _strategies(data):
        name = strategy.get("name")
        if isinstance(name, str) and name in seen:
            place = (*path, "name")
            yield (
                place,
                f"{key_text(place, data)} = {as_toml(name)}: a second strategy of this name, must be unique",
            )
        seen.add(str(name))


def _symbols_are_unique(data: _Data) -> Iterator[Fault]:
    for path in _symbol_lists(data):
        symbols = _texts(value_at(data, path))
        for position, symbol in symbols:
            if symbol in [earlier for place, earlier in symbols if place < position]:
                yield (*path, position), f"{key_text(path, data)}: {as_toml(symbol)} stands there twice"


def _symbols_are_of_the_universe(data: _Data) -> Iterator[Fault]:
    universe = [symbol for _, symbol in _texts(value_at(data, ("universe", "symbols")))]
    for path in _symbol_lists(data)[1:]:
        for position, symbol in _texts(value_at(data, path)):
            if universe and symbol not in universe:
                text = f"{as_toml(symbol)} is not in universe.symbols, which has {', '.join(universe)}"
                yield (*path, position), f"{key_text(path, data)}: {text}"


def _allocations_fit_into_equity(data: _Data) -> Iterator[Fault]:
    shares = [(path, strategy.get("allocation")) for path, strategy in _strategies(data)]
    numbers = [(path, share) for path, share in shares if isinstance(share, int | float)]
    total = sum(share for _, share in numbers)
    if len(numbers) > 1 and total > 1 + _ROUNDING:
        path = (*numbers[-1][0], "allocation")
        text = f"all allocations together are {total:.12g}, must be at most 1 (the whole equity)"
        yield path, f"{key_text(path, data)} = {as_toml(numbers[-1][1])}: {text}"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not there, a folder, or no name of a zone at all
        return False
    return True


def _strategies(data: _Data) -> list[tuple[TomlPath, _Data]]:
    tables = data.get("strategy")
    found = enumerate(tables) if isinstance(tables, list) else []
    return [(("strategy", position), table) for position, table in found if isinstance(table, dict)]


def _symbol_lists(data: _Data) -> list[TomlPath]:
    """Where symbols stand: the universe first, then the strategies."""
    return [("universe", "symbols"), *((*path, "symbols") for path, _ in _strategies(data))]


def _texts(value: object) -> list[tuple[int, str]]:
    return [(n, text) for n, text in enumerate(value) if isinstance(text, str)] if isinstance(value, list) else []


RULES: tuple[Callable[[_Data], Iterator[Fault]], ...] = (
    _account_fits_mode,
    _clock_is_followed_in_paper_only,
    _entries_end_before_the_flatten,
    _rows_close_within_the_interval,
    _names_are_unique,
    _symbols_are_unique,
    _symbols_are_of_the_universe,
    _allocations_fit_into_equity,
    _each_connection_has_its_own_id,
    _the_gateway_zone_exists,
    _trailing_stops_leave_room,
    _holdings_outlast_a_row,
    limits_fit_together,
    group_limits_have_groups,
    the_review_has_a_day,
    journal_url_names_a_database,
    mqtt_is_on_where_it_is_used,
    a_certificate_is_used,
    alert_channels_have_what_they_need,
    alert_urls_are_of_their_kind,
    alert_names_are_unique,
    ports_are_not_shared,
    the_address_is_of_the_backend,
    scaled_sizes_have_their_scores,
)
