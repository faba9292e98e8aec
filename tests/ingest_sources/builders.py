"""Parts of a fetch, on a clock turned by hand."""

from datetime import date
from random import Random

from research.ingest.fetching import Fetcher, Terms
from research.ingest.fetching_coverage import Coverage
from research.ingest.sources.http_client import HttpClient
from research.ingest.sources.response_cache import ResponseCache
from research.ingest.sources.retrying import Retrying
from research.ingest.sources.source import Wanted
from research.ingest.sources.token_bucket import TokenBucket
from shared.io.bar_library import BarStore

DAY, MINUTE = 86_400, 60


def a_client(server, clock, *, name="test", cache=None, headers=None, timeout_s=5.0, tries=3, per_minute=6_000.0):
    return HttpClient(
        name=name,
        base_url=server.url,
        bucket=TokenBucket(per_minute, 5, clock),
        retrying=a_retrying(clock, tries=tries),
        clock=clock,
        cache=ResponseCache(cache, clock) if cache else None,
        headers=headers,
        timeout_s=timeout_s,
    )


def a_retrying(clock, tries=3):
    return Retrying(clock=clock, chance=Random(7), tries=tries)


def wanted(symbol="AAPL", interval_s=DAY, first=date(2014, 6, 2), last=date(2014, 6, 13), **rest):
    return Wanted(symbol=symbol, interval_s=interval_s, first=first, last=last, **rest)


class Silent:
    """A Watcher that only remembers."""

    def __init__(self):
        self.chunks = []
        self.fates = []

    def chunk(self, symbol, until, bars):
        self.chunks.append((symbol, until, bars))

    def done(self, fetched):
        self.fates.append(fetched)


def a_fetcher(source, folder, **terms):
    return Fetcher(
        source, BarStore(folder), Coverage(folder / ".cache" / "answered"), Terms(**terms), on_stop=lambda: None
    )
