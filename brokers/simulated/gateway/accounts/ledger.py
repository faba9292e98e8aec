"""One account: cash, positions, margin, profit, and the record of everything that happened. PURE; the tests' oracle.

Every order, change, execution, commission and end of an order is appended to `records`; nothing there is ever
altered. Currency is USD throughout; quantities are shares, signed in positions. A correction replaces its execution:
the position is made anew from everything that happened to it, so that average cost and profit are as if the wrong
fill had never been.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from brokers.simulated.gateway.accounts.position import Position
from brokers.simulated.gateway.accounts.records import (
    CommissionCharged,
    DividendPaid,
    Execution,
    ExecutionCorrected,
    OrderRecorded,
    Record,
    SplitApplied,
)
from brokers.simulated.margin import BUYING_POWER_TIMES, Margin, margin_of

__all__ = ["CommissionCharged", "Execution", "Ledger", "OrderRecorded", "Position", "Record"]

MARGIN_REASON = (
    "YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH LOAN VALUE "
    "[{equity:.2f} USD] MUST EXCEED THE INITIAL MARGIN [{margin:.2f} USD]"
)
NOTHING = (
    "AccruedCash", "AccruedDividend", "Billable", "Guarantee", "IndianStockHaircut", "NetLiquidationUncertainty",
    "PASharesValue", "PhysicalCertificateValue", "PostExpirationExcess", "PostExpirationMargin",
)  # fmt: skip
NO_HOLDINGS = (
    "CorporateBondValue", "FundValue", "FutureOptionValue", "FuturesPNL", "FxCashBalance", "IssuerOptionValue",
    "MoneyMarketFundValue", "MutualFundValue", "NetDividend", "OptionMarketValue", "TBillValue", "TBondValue",
    "WarrantValue",
)  # fmt: skip
NEW_YORK = ZoneInfo("America/New_York")
LOOKS_AHEAD = ("AvailableFunds", "ExcessLiquidity", "InitMarginReq", "MaintMarginReq")
Happening = tuple[float, float, float, str]
"""Signed shares, price, commission and stem of a fill; a split is (ratio, 0, 0, "")."""


def stem_of(exec_id: str) -> str:
    """What an execution and its corrections share: the id without its last part."""
    return exec_id.rpartition(".")[0]


class Ledger:
    """One account and everything that happened to it."""

    def __init__(self, account: str, cash: float) -> None:
        self.account = account
        self.cash = cash
        self.cash_at_start = cash
        self.positions: dict[int, Position] = {}
        self.records: list[Record] = []
        self.commissions: dict[str, CommissionCharged] = {}
        """Commission records by execId."""
        self.reports: list[Execution] = []
        """Executions as they were reported, corrections behind what they correct."""
        self._valid: dict[str, Execution] = {}
        self._history: dict[int, list[Happening]] = {}
        self._equity_at_start = cash
        self._month, self._traded = "", 0.0

    # ------------------------------------------------------------------ writing

    def record(self, entry: Record) -> None:
        """Append what happened to an order; executions come through `book`."""
        self.records.append(entry)

    def book(self, execution: Execution, commission: float) -> CommissionCharged:
        """Take an execution into cash and position; returns its commission record."""
        assert execution.quantity > 0
        assert execution.price > 0
        signed = _signed(execution)
        position = self.positions.setdefault(execution.con_id, Position(execution.con_id, execution.symbol))
        realized = position.take(signed, execution.price, commission)
        self.cash -= signed * execution.price + commission
        self._traded = self.traded_in_month(execution.at) + execution.quantity
        self._month = _month_of(execution.at)
        stem = stem_of(execution.exec_id)
        self._history.setdefault(execution.con_id, []).append((signed, execution.price, commission, stem))
        charged = CommissionCharged(
            at=execution.at, exec_id=execution.exec_id, commission=commission, realized_pnl=realized
        )
        self._valid[stem] = execution
        self.reports.append(execution)
        self.commissions[execution.exec_id] = charged
        self.records += [execution, charged]
        return charged

    def correct(
        self, exec_id: str, *, quantity: float | None = None, price: float | None = None, at: float
    ) -> Execution:
        """Replace an execution by one whose id ends one higher; 0 shares is a bust. Raises KeyError."""
        stem = stem_of(exec_id)
        wrong = self._valid[stem]
        right = replace(
            wrong,
            at=at,
            exec_id=f"{stem}.{int(wrong.exec_id.rpartition('.')[2]) + 1:02d}",
            quantity=wrong.quantity if quantity is None else quantity,
            price=wrong.price if price is None else price,
        )
        dearer = _signed(right) * right.price - _signed(wrong) * wrong.price
        self.cash -= dearer
        happenings = self._history[wrong.con_id]
        self._history[wrong.con_id] = [
            (_signed(right), right.price, fee, its) if its == stem else (signed, at_price, fee, its)
            for signed, at_price, fee, its in happenings
        ]
        self._remake(wrong.con_id, dearer)
        self._valid[stem] = right
        self.reports.append(right)
        self.commissions[right.exec_id] = replace(self.commissions[wrong.exec_id], at=at, exec_id=right.exec_id)
        self.records.append(ExecutionCorrected(at=at, replaces=wrong.exec_id, execution=right))
        return right

    def apply_split(self, con_id: int, ratio: float, *, at: float) -> None:
        """Overnight there are `ratio` shares where there was one; who holds none is told nothing of it."""
        position = self.positions.get(con_id)
        if position is None:
            return
        self._history[con_id].append((ratio, 0.0, 0.0, ""))
        if position.quantity:
            position.split(ratio)
            self.records.append(SplitApplied(at=at, con_id=con_id, ratio=ratio))

    def pay_dividend(self, con_id: int, amount_per_share: float, *, at: float) -> None:
        """Cash for each share held; a short position pays it."""
        position = self.positions.get(con_id)
        if position is not None and position.quantity:
            amount = position.quantity * amount_per_share
            self.cash += amount
            position.spent -= amount
            self.records.append(DividendPaid(at=at, con_id=con_id, amount=amount))

    def start_day(self, at: float) -> None:
        """From market time `at` on daily profit counts anew."""
        del at
        self._equity_at_start = self.net_liquidation
        for position in self.positions.values():
            position.start_day()

    def mark(self, con_id: int, price: float) -> None:
        """Value the position in `con_id` at `price`; NaN leaves the last price standing."""
        position = self.positions.get(con_id)
        if position is not None and not math.isnan(price):
            position.market_price = price

    def _remake(self, con_id: int, dearer: float) -> None:
        """The position as everything that happened to it makes it; `dearer` dollars more were spent today."""
        old = self.positions[con_id]
        new = Position(con_id, old.symbol)
        for signed, price, fee, stem in self._history[con_id]:
            if not stem:
                new.split(signed)
            elif signed:
                new.take(signed, price, fee)
            else:
                new.realized_pnl -= fee
        new.market_price, new.value_at_start = old.market_price, old.value_at_start
        new.realized_at_start, new.spent = old.realized_at_start, old.spent + dearer
        self.positions[con_id] = new

    # ------------------------------------------------------------------ reading

    def was_split_unheld(self, execution: Execution) -> bool:
        """Whether the stock was split since the execution while the account held none of it: no record says so."""
        held, is_since = 0.0, False
        for number, _price, _fee, stem in self._history[execution.con_id]:
            if not stem and is_since and not held:
                return True
            held = held + number if stem else held * number
            is_since |= stem == stem_of(execution.exec_id)
        return False

    @property
    def executions(self) -> list[Execution]:
        """The executions that stand, corrected ones as they are now, busted ones left out."""
        return [execution for execution in self._valid.values() if execution.quantity > 0]

    @property
    def orders(self) -> list[OrderRecorded]:
        """The orders as they were accepted, without their changes."""
        return [record for record in self.records if isinstance(record, OrderRecorded) and record.change == "new"]

    def quantity(self, symbol: str) -> float:
        """Signed position in `symbol`; 0 when flat or never held."""
        return sum(position.quantity for position in self.positions.values() if position.symbol == symbol)

    def traded_in_month(self, at: float) -> float:
        """Shares bought and sold in New York's calendar month of `at`, which no fill may be after."""
        return self._traded if self._month == _month_of(at) else 0.0

    @property
    def realized_pnl(self) -> float:
        return sum(position.realized_pnl for position in self.positions.values())

    @property
    def realized_today(self) -> float:
        return sum(position.realized_today for position in self.positions.values())

    @property
    def unrealized_pnl(self) -> float:
        return sum(position.unrealized_pnl for position in self.positions.values())

    @property
    def daily_pnl(self) -> float:
        """The change of net liquidation since the day began."""
        return self.net_liquidation - self._equity_at_start

    @property
    def stock_value(self) -> float:
        return sum(position.market_value for position in self.positions.values())

    @property
    def gross_position_value(self) -> float:
        return sum(abs(position.market_value) for position in self.positions.values())

    @property
    def net_liquidation(self) -> float:
        return self.cash + self.stock_value

    @property
    def margin(self) -> Margin:
        return margin_of((position.quantity, position.price) for position in self.positions.values())

    @property
    def buying_power(self) -> float:
        return max(self.net_liquidation - self.margin.initial, 0.0) * BUYING_POWER_TIMES

    def margin_with(self, con_id: int, signed: float, price: float) -> Margin:
        """The margin if `signed` shares more were held at `price`."""
        held = {one.con_id: (one.quantity, one.price) for one in self.positions.values()}
        quantity, _ = held.get(con_id, (0.0, price))
        return margin_of((held | {con_id: (quantity + signed, price)}).values())

    def affordable(self, con_id: int, side: str, quantity: float, price: float) -> str:
        """Why the account's equity does not carry the order, in IB's words; empty if it does, or if it reduces."""
        signed = quantity if side == "BUY" else -quantity
        held = self.positions[con_id].quantity if con_id in self.positions else 0.0
        needed = self.margin_with(con_id, signed, price).initial
        reduces = abs(held + signed) <= abs(held)
        if reduces or needed <= self.net_liquidation:
            return ""
        return MARGIN_REASON.format(equity=self.net_liquidation, margin=needed)

    def account_values(self) -> dict[str, float]:
        """The amounts a TWS reports for the whole account, in USD, by its own keys."""
        margin, equity = self.margin, self.net_liquidation
        amounts = {
            "NetLiquidation": equity,
            "EquityWithLoanValue": equity,
            "TotalCashValue": self.cash,
            "SettledCash": self.cash,
            "GrossPositionValue": self.gross_position_value,
            "InitMarginReq": margin.initial,
            "MaintMarginReq": margin.maintenance,
            "AvailableFunds": equity - margin.initial,
            "ExcessLiquidity": equity - margin.maintenance,
            "BuyingPower": self.buying_power,
            "PreviousDayEquityWithLoanValue": self._equity_at_start,
            "RegTEquity": equity,
            "RegTMargin": margin.initial,
            "SMA": max(equity - margin.initial, 0.0),
        }
        amounts |= {f"Full{key}": amounts[key] for key in LOOKS_AHEAD}
        return amounts | {f"LookAhead{key}": amounts[key] for key in LOOKS_AHEAD} | dict.fromkeys(NOTHING, 0.0)

    def currency_values(self) -> dict[str, float]:
        """The amounts told once per currency (the account's ledger); all of them are in USD here."""
        stocks = self.stock_value
        return {
            "CashBalance": self.cash,
            "TotalCashBalance": self.cash,
            "AccruedCash": 0.0,
            "StockMarketValue": stocks,
            "UnrealizedPnL": self.unrealized_pnl,
            "RealizedPnL": self.realized_today,
            "NetLiquidationByCurrency": self.cash + stocks,
            "ExchangeRate": 1.0,
        } | dict.fromkeys(NO_HOLDINGS, 0.0)

    # ------------------------------------------------------------------ over a restart

    def state(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return {
            "account": self.account,
            "cash": self.cash,
            "cash_at_start": self.cash_at_start,
            "equity_at_start": self._equity_at_start,
            "month": self._month,
            "traded": self._traded,
            "positions": msgspec.to_builtins(list(self.positions.values())),
            "history": [[con_id, happenings] for con_id, happenings in self._history.items()],
            "reports": msgspec.to_builtins(self.reports),
            "commissions": msgspec.to_builtins(list(self.commissions.values())),
            "records": msgspec.to_builtins(self.records),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Ledger:
        """The account as `state` had it. Raises KeyError or msgspec.ValidationError for what is no state."""
        ledger = cls(str(state["account"]), float(state["cash"]))
        ledger.cash_at_start = float(state["cash_at_start"])
        ledger._equity_at_start = float(state["equity_at_start"])
        ledger._month, ledger._traded = str(state["month"]), float(state["traded"])
        for raw in state["positions"]:
            nan = {} if raw["market_price"] is not None else {"market_price": math.nan}
            position = msgspec.convert(raw | nan, Position)
            ledger.positions[position.con_id] = position
        ledger._history = {
            int(con_id): [(one[0], one[1], one[2], one[3]) for one in happenings]
            for con_id, happenings in state["history"]
        }
        ledger.reports = msgspec.convert(state["reports"], list[Execution])
        ledger._valid = {stem_of(one.exec_id): one for one in ledger.reports}
        charged = msgspec.convert(state["commissions"], list[CommissionCharged])
        ledger.commissions = {one.exec_id: one for one in charged}
        ledger.records = msgspec.convert(state["records"], list[Record])
        return ledger


def _signed(execution: Execution) -> float:
    return execution.quantity if execution.side == "BUY" else -execution.quantity


def _month_of(at: float) -> str:
    return datetime.fromtimestamp(at, NEW_YORK).strftime("%Y-%m")
