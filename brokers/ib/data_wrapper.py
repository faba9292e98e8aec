# ruff: noqa: N802 - the methods carry the names by which IB's protocol calls them back
"""The raw callbacks of the data session: contracts, history, bars, quotes."""

from __future__ import annotations

from typing import Protocol

from ib_insync import BarData, ContractDetails

from brokers.ib.codes import CodeTable
from brokers.ib.requests import Requests
from brokers.ib.wrapper import Hooks, Wrapper


class Data(Protocol):
    """Who takes what is streamed."""

    def on_bar(self, req_id: int, starts_at_s: int, bar: BarData) -> None:
        """A 5-second bar with the epoch second of its start."""

    def on_price(self, req_id: int, tick_type: int, price: float) -> None:
        """A price tick."""

    def on_figure(self, req_id: int, tick_type: int, value: float) -> None:
        """A tick of another kind: halted is number 49."""

    def on_data_type(self, req_id: int, data_type: int) -> None:
        """Live (1), frozen (2), delayed (3) or delayed frozen (4)."""

    def on_stream_error(self, req_id: int, code: int, text: str) -> bool:
        """An error on a stream; False if no stream has the id."""


class DataWrapper(Wrapper):
    """Each row to the question that asked for it, each tick to its stream."""

    def __init__(self, *, requests: Requests, hooks: Hooks, codes: CodeTable, data: Data) -> None:
        super().__init__(requests=requests, hooks=hooks, codes=codes)
        self._data = data

    def takes_error(self, req_id: int, code: int, text: str) -> bool:
        return self._data.on_stream_error(req_id, code, text)

    def contractDetails(self, req_id: int, details: ContractDetails) -> None:
        self._requests.add(req_id, details)

    def contractDetailsEnd(self, req_id: int) -> None:
        self._requests.end(req_id)

    def historicalData(self, req_id: int, bar: BarData) -> None:
        self._requests.add(req_id, bar)

    def historicalDataEnd(self, req_id: int, _start: str, _end: str) -> None:
        self._requests.end(req_id)

    def realtimeBar(  # noqa: PLR0913, PLR0917 - the protocol's
        self,
        req_id: int,
        time: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        _average: float,
        _count: int,
    ) -> None:
        self._data.on_bar(req_id, time, BarData(open=open_, high=high, low=low, close=close, volume=volume))

    def priceSizeTick(self, req_id: int, tick_type: int, price: float, _size: float) -> None:
        self._data.on_price(req_id, tick_type, price)

    def tickGeneric(self, req_id: int, tick_type: int, value: float) -> None:
        self._data.on_figure(req_id, tick_type, value)

    def marketDataType(self, req_id: int, data_type: int) -> None:
        self._data.on_data_type(req_id, data_type)
