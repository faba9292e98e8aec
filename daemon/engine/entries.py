"""Entries: from a missing quantity through the gate to a bracket."""

from __future__ import annotations

from datetime import datetime

from daemon.engine import planning
from daemon.engine.answers import Answers
from daemon.engine.book import Book
from daemon.engine.children import send
from daemon.engine.denials import forget_denial, note_denial, texts_of
from daemon.engine.desk import Desk
from daemon.engine.plan import Plan
from daemon.engine.settings import EngineSettings
from daemon.engine.view import Viewer
from risk.gate import judge
from shared.commands import Command, Notify, PlaceBracket, SetTimer
from shared.market import Universe
from shared.orders import BracketOrder, OrderIntent

ENTRY_TIMER = "entry:"


class Entries:
    """Sends brackets; its only memory is the book."""

    def __init__(
        self, book: Book, settings: EngineSettings, universe: Universe, viewer: Viewer, answers: Answers
    ) -> None:
        self._book = book
        self._settings = settings
        self._columns = {symbol: column for column, symbol in enumerate(universe.symbols)}
        self._viewer = viewer
        self._answers = answers

    def enter(self, desk: Desk, intent: OrderIntent, now: datetime) -> list[Command]:
        """The bracket for an intent, as far as the gate allows; a denial is told once."""
        price = self._book.prices.price(self._columns[intent.symbol])
        instrument = desk.instrument(intent.symbol)
        expected = None if price is None else planning.entry_price(self._settings, instrument, intent.side, price)
        verdict = judge(intent, self._viewer.of(intent, expected, now), self._settings.limits)
        if verdict.approved_quantity == 0 or price is None or expected is None:
            return note_denial(self._book, intent, verdict)
        plan = planning.new_plan(self._book, desk, intent, price)
        if plan is None:
            self._book.set_target(intent.strategy, intent.symbol, 0, "no valid stop")
            text = f"{intent.strategy} {intent.symbol}: no valid stop loss at {price}, entry denied"
            return [Notify(level="warning", code="entry_denied", text=text)]
        forget_denial(self._book, intent)
        limit_price = expected if self._settings.entry == "limit" else None
        good_till = planning.good_till(self._settings, self._book.hours, now)
        bracket = planning.bracket_of(plan, verdict.approved_quantity, limit_price, good_till)
        commands = self._place(plan, bracket, now, (intent.reason, *texts_of(verdict)))
        self._book.pace.note_sent(intent, now, duplicate_window_s=self._settings.limits.duplicate_window_s)
        if verdict.breaches:
            self._settle_for_approved(intent)
        return commands

    def timer(self, ref: str, left_s: float) -> list[Command]:
        """An entry's time runs on the market's clock; with daily bars it is good for one bar and needs none."""
        if self._settings.is_daily:
            return []
        return [SetTimer(timer_id=ENTRY_TIMER + ref, after_s=max(left_s, 0.0), clock="market")]

    def _settle_for_approved(self, intent: OrderIntent) -> None:
        """What the gate reduced stays reduced: the missing shares are not asked for again row after row."""
        buys, sells = self._book.working_entries(intent.strategy, intent.symbol)
        wanted = self._book.holding(intent.strategy, intent.symbol) + buys - sells
        self._book.set_target(intent.strategy, intent.symbol, wanted, intent.reason)

    def _place(self, plan: Plan, bracket: BracketOrder, now: datetime, reasons: tuple[str, ...]) -> list[Command]:
        self._book.add_plan(plan)
        for order in (bracket.entry, bracket.stop_loss, bracket.take_profit):
            if order is not None:
                send(self._book, order, now)
        self._viewer.note_entry(plan.symbol)
        return [
            PlaceBracket(bracket=bracket, reasons=reasons),
            *self._answers.await_bracket(bracket),
            *self.timer(bracket.entry.ref, self._settings.entry_timeout_s),
        ]
