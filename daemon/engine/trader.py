"""What is wanted, and what a row makes of it: targets, then cancels and exits, then entries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from daemon.engine import planning
from daemon.engine.answers import Answers
from daemon.engine.book import Book
from daemon.engine.book_index import Pair
from daemon.engine.closing import Closer
from daemon.engine.corporate_action import take_over_splits
from daemon.engine.desk import Desk
from daemon.engine.entries import Entries
from daemon.engine.plan import Plan
from daemon.engine.settings import EngineSettings
from daemon.engine.time_stop import TimeStops
from daemon.engine.view import Viewer
from risk.insider_size import size_factor
from risk.trading_state import INSTRUMENT, TradingState
from shared.commands import Command, Notify
from shared.market import Universe
from shared.orders import Leg, WorkingOrder
from shared.signals import Signal


class Trader:
    """Turns convictions into commands; its only memory is the book."""

    def __init__(self, book: Book, settings: EngineSettings, universe: Universe, desks: dict[str, Desk]) -> None:
        self._book = book
        self._settings = settings
        self._universe = universe
        self._columns = {symbol: column for column, symbol in enumerate(universe.symbols)}
        self._desks = desks
        self.viewer = Viewer(book, settings, universe)
        self.answers = Answers(book, settings)
        self.entries = Entries(book, settings, universe, self.viewer, self.answers)
        self.closer = Closer(book, settings, self.viewer, self.answers)
        self.time_stops = TimeStops(book, desks)

    # --- targets ------------------------------------------------------------------------------------------------

    def take_signals(self, desk: Desk, signals: Iterable[Signal], *, warm_up: bool) -> None:
        """Note changed convictions and the targets they lead to; the same conviction again changes nothing.

        A warm-up row may end a holding but never opens one: a view to be in the market that was formed in history is
        news to the first live row that repeats it.
        """
        convictions = self._book.convictions.setdefault(desk.name, {})
        known = convictions.get
        for signal in signals:
            if known(signal.symbol) == signal.conviction:
                continue
            if warm_up:
                self._take_warm_up(convictions, desk.name, signal)
            elif signal.conviction == 0 or self._can_be_sized(signal.symbol):  # else it stays news
                convictions[signal.symbol] = signal.conviction
                quantity = self._quantity_for(desk, signal)
                self._book.set_target(desk.name, signal.symbol, quantity, signal.reason)

    def _can_be_sized(self, symbol: str) -> bool:
        return self._book.equity is not None and not self._book.prices.is_suspect(self._columns[symbol])

    def _take_warm_up(self, convictions: dict[str, float], strategy: str, signal: Signal) -> None:
        held = self._book.holding(strategy, signal.symbol)
        if signal.conviction == 0 or held * signal.conviction < 0:
            convictions[signal.symbol] = 0.0
            self._book.set_target(strategy, signal.symbol, 0, signal.reason)

    def _quantity_for(self, desk: Desk, signal: Signal) -> int:
        if signal.conviction == 0:
            return 0
        price = self._book.prices.price(self._columns[signal.symbol])
        plan = self._book.day_plan
        score = None if plan is None else plan.insider_scores.get(signal.symbol)
        factor = size_factor(score, is_long=signal.conviction > 0, strength=self._settings.insider_strength)
        return desk.target(signal.symbol, signal.conviction, self._book.equity, price, factor=factor)

    def settle_for_holding(self, plan: Plan, reason: str) -> None:
        """The signal behind the plan is used up: what is held now is what should be held.

        What exits have sold beyond a position is on its way back and no holding that anybody wants.
        """
        plans = self._book.plans_of(plan.strategy, plan.symbol)
        held = sum(each.side.sign * max(each.open_quantity, 0) for each in plans)
        self._book.set_target(plan.strategy, plan.symbol, held, reason)

    def on_entry_filled(self, plan: Plan, filled_at: datetime, now: datetime) -> list[Command]:
        """An entry's first execution: its time stop runs, and an instrument that fills again and again is latched."""
        pace, limits = self._book.pace, self._settings.limits
        if not pace.note_filled(plan.symbol, plan.plan_id, filled_at):
            return []
        commands = self.time_stops.timer(plan, now)
        limit = limits.max_entries_in_window
        count = pace.entries_in_window(plan.symbol, self._book.in_broker_time(now), limits.entry_window_s)
        if limit is None or count < limit:
            return commands
        text = f"{plan.symbol}: {count} entries filled within {limits.entry_window_s:g} s, the limit is {limit}"
        scope, state = f"{INSTRUMENT}:{plan.symbol}", TradingState.REDUCING
        commands += self._book.breakers.trip(scope, "repeated_execution", state, text, now)
        return commands + self.cancel_entries(text, scope)

    # --- what a row leads to ------------------------------------------------------------------------------------

    def reduce(self, now: datetime) -> list[Command]:
        """Cancels and exits: everything that lowers exposure; an exit only once the broker has said what is held."""
        if not self._book.is_connected:
            return []
        if self._is_closing_time(now):
            self._aim_flat("the session ends")
        if self.time_stops.has_any:
            self.time_stops.take_from_targets(now)
        commands = self._cancel_stale_entries(now) if self._book.index.entries else []
        if not self._book.knows_holdings:
            return commands
        commands += self._close_flattened(now)
        for pair in self._held_beyond_rest():
            is_at_rest = True
            for plan, quantity in planning.exit_quantities(self._book, *pair):
                is_at_rest = False
                commands += self.closer.exit(plan, quantity, now)
            if is_at_rest:
                del self._book.index.to_reduce[pair]
        return commands

    def reduce_in_session(self, now: datetime) -> list[Command]:
        """The same by a timer or a report: while the session runs; else the first row of the next one does it."""
        hours = self._book.hours
        is_open = hours is not None and hours.opens_at <= now < hours.closes_at
        return self.reduce(now) if is_open else []

    def reduce_what_waited(self, now: datetime) -> list[Command]:
        """What rows and timers have let go of and could not close; with daily bars they do between two sessions."""
        return self.reduce(now) if self._settings.is_daily else self.reduce_in_session(now)

    def enter(self, now: datetime) -> list[Command]:
        """Entries towards the targets, as far as the gate allows."""
        if not self._book.is_connected:
            return []
        commands: list[Command] = []
        wanted = self._wanted_beyond_rest()
        if not wanted:
            return commands
        self.viewer.begin_entries()
        for strategy, symbol in wanted:
            target = self._book.targets[strategy][symbol]
            intent = planning.entry_intent(self._book, strategy, symbol, target.reason)
            if intent is None:
                del self._book.index.to_enter[strategy, symbol]
            else:
                commands += self.entries.enter(self._desks[strategy], intent, now)
        self.viewer.end_entries()
        return commands

    def _held_beyond_rest(self) -> list[Pair]:
        """What is held and has not been found to be as wanted; the oldest open plan first."""
        index = self._book.index
        if not index.to_reduce:
            return []
        since: dict[Pair, int] = {}
        for pair in list(index.to_reduce):
            for plan in self._book.plans_of(*pair):
                if plan.opened > plan.closed:
                    since[pair] = index.numbers[plan.plan_id]
                    break
            else:
                del index.to_reduce[pair]
        return sorted(since, key=since.__getitem__)

    def _wanted_beyond_rest(self) -> list[Pair]:
        """What has not been found to be as wanted, strategy by strategy, in the order of the targets."""
        index, wanted = self._book.index, list[Pair]()
        for pair in list(index.to_enter):
            strategy, symbol = pair
            if strategy in self._desks and self._book.target(strategy, symbol):
                wanted.append(pair)
            else:
                del index.to_enter[pair]
        wanted.sort(key=index.target_numbers.__getitem__)
        if len(self._desks) > 1:
            ranks = {strategy: rank for rank, strategy in enumerate(self._desks)}
            wanted.sort(key=lambda pair: ranks[pair[0]])
        return wanted

    def _is_closing_time(self, now: datetime) -> bool:
        hours, before = self._book.hours, self._settings.flatten_before_close_s
        if hours is None or before <= 0 or self._settings.is_daily:
            return False
        return hours.closes_at - timedelta(seconds=before) <= now < hours.closes_at

    def _aim_flat(self, reason: str) -> None:
        for strategy, targets in self._book.targets.items():
            for symbol, target in targets.items():
                if target.quantity:
                    self._book.set_target(strategy, symbol, 0, reason)

    # --- cancels ------------------------------------------------------------------------------------------------

    def _cancel_stale_entries(self, now: datetime) -> list[Command]:
        commands: list[Command] = []
        for working in self._live_entries():
            plan = self._book.plans[working.plan]
            target = self._book.target(plan.strategy, plan.symbol)
            if target * plan.side.sign <= 0:
                commands += self.cancel(working, "no longer wanted")
            elif planning.entry_is_overdue(self._settings, self._book.hours, working.sent_at, now):
                commands += self.cancel(working, "its time is up")
        return commands

    def cancel_older_than_connection(self) -> list[Command]:
        """After a reconnect: entries and targets that were sent before it, by policy; stops always stay.

        With daily bars entries stay too: their view is as old as it was when they were decided, until the next row.
        """
        since = self._book.connected_at
        if since is None or not self._book.knows_holdings:
            return []
        policies = {
            Leg.ENTRY: "keep" if self._settings.is_daily else self._settings.entries_on_reconnect,
            Leg.TAKE_PROFIT: self._settings.targets_on_reconnect,
        }
        commands: list[Command] = []
        for leg in [leg for leg, policy in policies.items() if policy == "cancel"]:
            for working in self._live(leg):
                if working.sent_at < since:
                    commands += self.cancel(working, "it is older than the connection")
        return commands

    def _live_entries(self) -> list[WorkingOrder]:
        return list(self._book.index.entries.values())

    def _live(self, leg: Leg) -> list[WorkingOrder]:
        return [order for order in self._book.orders.values() if order.leg is leg]

    def cancel(self, working: WorkingOrder, reason: str) -> list[Command]:
        """Ask for the cancel of an order that can still be cancelled."""
        return self.answers.cancel(working, reason)

    def cancel_entries(self, reason: str, scope: str = "account") -> list[Command]:
        """Ask for the cancel of every live entry in the scope."""
        commands: list[Command] = []
        for working in self._live_entries():
            if in_scope(scope, self._book.plans[working.plan]):
                commands += self.cancel(working, reason)
        return commands

    # --- what a person wants flat -------------------------------------------------------------------------------

    def flatten(self, now: datetime, reason: str, scope: str = "account") -> list[Command]:
        """Close every open plan in the scope, past the trading state (a person said so), until it is flat.

        A split that waits for a person has its answer with that: all that the broker shows is closed.
        While the broker cannot be reached the wish is kept and carried out after the next reconciliation.
        """
        wanted_flat = [plan for plan in self._book.plans.values() if in_scope(scope, plan)]
        if not (self._book.is_connected and self._book.knows_holdings):
            self._book.flatten_wishes[scope] = reason
            return _tell_wait(wanted_flat)
        commands = self.cancel_entries(reason, scope)
        commands += _tell_wait([plan for plan in wanted_flat if plan.symbol in self._book.legs_gone])
        for plan in wanted_flat:
            plan.flatten_reason = reason
            self._book.set_target(plan.strategy, plan.symbol, 0, reason)
        return commands + self._close_flattened(now)

    def fulfil_wishes(self, now: datetime) -> list[Command]:
        """Flatten what a person wanted flat while nobody answered, or whose exit came to nothing.

        And what the end of the session wants flat: its timer may have fired into a dead line, and no row may come.
        """
        if not (self._book.is_connected and self._book.knows_holdings):
            return []
        wishes, self._book.flatten_wishes = self._book.flatten_wishes, {}
        commands = [command for scope, reason in wishes.items() for command in self.flatten(now, reason, scope)]
        commands += self._close_flattened(now)
        return commands + (self.reduce(now) if self._is_closing_time(now) else [])

    def _close_flattened(self, now: datetime) -> list[Command]:
        wanted_flat = [plan for plan in self._book.plans.values() if plan.flatten_reason and plan.open_quantity]
        symbols = dict.fromkeys(plan.symbol for plan in wanted_flat)
        commands = take_over_splits(self._book, self._universe, symbols, self._settings.truth.gateway_zone, now)
        for plan in wanted_flat:
            commands += self.closer.exit(plan, plan.open_quantity, now)
        return commands


def in_scope(scope: str, plan: Plan) -> bool:
    """Whether 'account', 'strategy:x' or 'instrument:x' covers the plan."""
    return scope in ("account", f"strategy:{plan.strategy}", f"instrument:{plan.symbol}")


def _tell_wait(wanted_flat: Iterable[Plan]) -> list[Command]:
    held = sorted({plan.symbol for plan in wanted_flat if plan.open_quantity > 0})
    if not held:
        return []
    text = f"{', '.join(held)}: closed as soon as the broker has told what is held, by then it may be other shares"
    return [Notify(level="warning", code="flatten_waits", text=text)]
