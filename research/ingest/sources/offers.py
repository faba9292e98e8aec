"""Each source made ready from config.toml: its pace, its cache, its key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from research.ingest.sources.clock import PaceClock
from research.ingest.sources.response_cache import ResponseCache
from research.ingest.sources.retrying import Retrying
from research.ingest.sources.token_bucket import TokenBucket
from shared.config import Config
from shared.errors import ConfigError
from shared.io.secrets import Secret, read_secret

if TYPE_CHECKING:
    from research.ingest.sources.edgar import Edgar
    from research.ingest.sources.http_client import HttpClient
    from research.ingest.sources.source import Source

HOUR_S = 3_600.0
CACHE = ".cache"
AT_ONCE = 5
"""A pause is never made up for by more requests at once than so."""


def interactive_brokers(config: Config, folder: Path, clock: PaceClock) -> Source:
    """TWS or the gateway of [broker], over a client id of its own; ConfigError if that is taken."""
    from brokers.ib.codes import code_table
    from brokers.ib.connection import Address
    from research.ingest.sources.following_clock import FollowingClock
    from research.ingest.sources.history_pace import HistoryPace
    from research.ingest.sources.interactive_brokers import InteractiveBrokers
    from shared.market import Instrument

    broker, sources = config.broker, config.data.sources
    if sources.ib_client_id in {broker.client_id, broker.data_client_id}:
        raise ConfigError(f"data.sources.ib_client_id: {sources.ib_client_id} is the daemon's, allowed is another one")
    # A simulated gateway's time is followed on paper only, as the daemon does.
    market = FollowingClock(clock, may_follow=config.mode == "paper" and broker.follow_gateway_clock)
    place = f"{broker.host.replace(':', '_').replace('/', '_')}_{broker.port}"
    return InteractiveBrokers(
        address=Address(host=broker.host, port=broker.port, client_id=sources.ib_client_id),
        codes=code_table(str(config.base_dir / broker.codes_file) if broker.codes_file else ""),
        instrument=Instrument(symbol="", exchange=config.universe.exchange, currency=config.universe.currency),
        clock=market,
        pace=HistoryPace(folder / CACHE / "ib" / f"asked_{place}.json", market),
        retrying=_retrying(config, market, "ib"),
        connect_timeout_s=broker.connect_timeout_s,
        answer_within_s=sources.timeout_s,
        volume_lot=sources.ib_volume_lot,
    )


def alpha_vantage(config: Config, folder: Path, clock: PaceClock) -> Source:
    """The key is the secret `alphavantage_key`."""
    from research.ingest.sources.alpha_vantage import NAME, AlphaVantage

    sources = config.data.sources
    bucket = TokenBucket(sources.alphavantage_per_min, AT_ONCE, clock)
    key = _key(config, "alphavantage_key", NAME)
    client = _client(config, folder, clock, NAME, sources.alphavantage_url, bucket, {})
    return AlphaVantage(client, key, clock, sources.cache_hours * HOUR_S)


def alpaca(config: Config, folder: Path, clock: PaceClock) -> Source:
    """The keys are the secrets `alpaca_key_id` and `alpaca_secret_key`."""
    from research.ingest.sources.alpaca import NAME, Alpaca

    sources = config.data.sources
    headers = {
        "APCA-API-KEY-ID": _key(config, "alpaca_key_id", NAME),
        "APCA-API-SECRET-KEY": _key(config, "alpaca_secret_key", NAME),
    }
    bucket = TokenBucket(sources.alpaca_per_min, AT_ONCE, clock)
    client = _client(config, folder, clock, NAME, sources.alpaca_url, bucket, headers)
    return Alpaca(client, sources.alpaca_feed, clock, sources.cache_hours * HOUR_S)


def yahoo(config: Config, _folder: Path, clock: PaceClock) -> Source:
    """Needs the extra yfinance; that it is missing is told by the first symbol."""
    from research.ingest.sources.yahoo import NAME, Yahoo, ask_yfinance

    bucket = TokenBucket(config.data.sources.yfinance_per_min, AT_ONCE, clock)
    return Yahoo(ask_yfinance, bucket=bucket, retrying=_retrying(config, clock, NAME), clock=clock)


def edgar(config: Config, folder: Path, clock: PaceClock) -> Edgar:
    """Both hosts at one pace; ConfigError without data.sources.sec_user_agent."""
    from research.ingest.sources.edgar import NAME, Edgar

    sources = config.data.sources
    if "@" not in sources.sec_user_agent:
        raise ConfigError(
            f'data.sources.sec_user_agent: "{sources.sec_user_agent}", the SEC wants a name and a mail address, '
            'such as "Jane Doe jane@example.org"'
        )
    headers = {"User-Agent": sources.sec_user_agent}
    bucket = TokenBucket(sources.sec_per_s * 60.0, 1, clock)
    site, data = (
        _client(config, folder, clock, NAME, url, bucket, headers) for url in (sources.sec_url, sources.sec_data_url)
    )
    return Edgar(site, data, sources.cache_hours * HOUR_S)


SOURCES = {"ib": interactive_brokers, "alphavantage": alpha_vantage, "alpaca": alpaca, "yfinance": yahoo}
"""What gives bars and is reached over a network; csv is made from options, sec gives documents."""


def _client(  # noqa: PLR0913, PLR0917 - one name per part
    config: Config,
    folder: Path,
    clock: PaceClock,
    name: str,
    url: str,
    bucket: TokenBucket,
    headers: Mapping[str, str],
) -> HttpClient:
    from research.ingest.sources.http_client import HttpClient

    return HttpClient(
        name=name,
        base_url=url,
        bucket=bucket,
        retrying=_retrying(config, clock, name),
        clock=clock,
        cache=ResponseCache(folder / CACHE / name, clock),
        headers=headers,
        timeout_s=config.data.sources.timeout_s,
    )


def _retrying(config: Config, clock: PaceClock, name: str) -> Retrying:
    # Two runs must not wait in step; the instant of the start is chance enough.
    return Retrying(clock=clock, chance=Random(f"{name} {clock.now_s()}"), tries=config.data.sources.tries)


def _key(config: Config, name: str, source: str) -> Secret:
    found = read_secret(name, config.base_dir)
    if not found:
        raise ConfigError(
            f"secret {name}: not found, {source} needs it: a credential of systemd, or the file secrets/{name} beside "
            "config.toml with mode 600"
        )
    return found
