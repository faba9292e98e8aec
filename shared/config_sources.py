"""[data.sources] of config.toml: who is asked for past data, and how fast. Keys to them are secrets, never in here."""

from __future__ import annotations

from typing import Annotated, Literal

from shared.config_fields import choice, number, positive, text, whole
from shared.config_section import Section

_URL = r"^https://[^\s/@]+(/\S*)?$|^http://127\.0\.0\.1:\d{1,5}$"


def _url(example: str) -> object:
    return text("https://HOST, or http://127.0.0.1:PORT", example, _URL)


class SourcesConfig(Section):
    """[data.sources]: the sources of `openbell data fetch` (docs/sources.md)."""

    cache_hours: Annotated[float, number(0, 8_760, 12)] = 12.0
    tries: Annotated[int, whole(1, 20, 5)] = 5
    timeout_s: Annotated[float, positive(600, 60)] = 60.0
    ib_client_id: Annotated[int, whole(1, 2_147_483_647, 9)] = 9
    ib_volume_lot: Annotated[int, whole(1, 100, 1)] = 1
    alphavantage_per_min: Annotated[float, positive(6_000, 75)] = 75.0
    alphavantage_url: Annotated[str, _url("https://www.alphavantage.co")] = "https://www.alphavantage.co"
    alpaca_per_min: Annotated[float, positive(60_000, 200)] = 200.0
    alpaca_feed: Annotated[Literal["iex", "sip"], choice("iex", "sip")] = "iex"
    alpaca_url: Annotated[str, _url("https://data.alpaca.markets")] = "https://data.alpaca.markets"
    yfinance_per_min: Annotated[float, positive(6_000, 60)] = 60.0
    sec_per_s: Annotated[float, positive(10, 10)] = 10.0
    sec_user_agent: Annotated[str, text("empty, or a name and a mail address", "Jane Doe jane@example.org", "")] = ""
    sec_url: Annotated[str, _url("https://www.sec.gov")] = "https://www.sec.gov"
    sec_data_url: Annotated[str, _url("https://data.sec.gov")] = "https://data.sec.gov"
