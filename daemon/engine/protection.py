"""Filled exposure has a resting stop at the broker, right side, not larger than the position.

Called after every event that can change an order or a position. A stop that vanished may be the other half of an OCA
fill whose execution is still under way, or of a split, so a missing stop is put back after a short grace
(`protect_after_s`) once the broker has told again what is held, without that word at last after `protect_at_last_s`; a
refused one at once, one that was never confirmed as soon as the broker denies it; after FAILURES_MAX failures within
FAILURE_WINDOW the position is closed instead. An entry whose stop is gone is pulled before it fills.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from daemon.engine import oca_groups, planning
from daemon.engine.adopted_stops import too_far
from daemon.engine.answers import Answers
from daemon.engine.book import PROTECTIVE, Book
from daemon.engine.children import send
from daemon.engine.closing import Closer
from daemon.engine.desk import Desk
from daemon.engine.doubts import AT_LAST, IN_DOUBT, Doubts
from daemon.engine.legs import Legs, legs_of
from daemon.engine.overfills import Overfills
from daemon.engine.plan import Plan
from daemon.engine.reconcile import LOST_AFTER_REPORTS
from daemon.engine.settings import EngineSettings
from daemon.engine.stop_prices import StopPrices
from shared.commands import AskBroker, Command, Notify, ReplaceStop
from shared.ids import leg_ref
from shared.orders import Leg, Order, OrderStatus, WorkingOrder

FAILURES_MAX = 3
FAILURE_WINDOW = timedelta(hours=1)
GROUP_CUTS = timedelta(seconds=5)
"""After an execution the word of what its OCA group takes off the other legs may still be on its way."""
SILENT_ROWS, SILENT_AT_MOST_S = 2, 600.0
"""After so many bars without a row, or so long, a report does what a row would have done."""


class Protector:
    """Looks after every open plan; holds no state of its own."""

    def __init__(
        self, book: Book, settings: EngineSettings, desks: dict[str, Desk], answers: Answers, closer: Closer
    ) -> None:
        self._book = book
        self._settings = settings
        self._answers = answers
        self._closer = closer
        self._doubts = Doubts(book, settings)
        self._overfills = Overfills(book, answers, closer)
        self.stop_prices = StopPrices(book, settings, desks)

    def look_after(self, now: datetime, *, grace_over_of: str = "", tidy: bool = False) -> list[Command]:
        """What must be done now so that every open share is protected; only told while the broker cannot be reached.

        `tidy` (once per row; at the first report on a line, and where nothing may wait for a row) also shrinks and
        removes legs that are larger than the position: the OCA group does the same by itself, and its word is only a
        moment away.
        `grace_over_of` is what follows PROTECT_TIMER in the name of the timer that has fired.
        """
        return self._look_at(list(self._book.plans.values()), now, grace_over_of=grace_over_of, tidy=tidy)

    def look_again(self, now: datetime, *, tidy: bool = False) -> list[Command]:
        """The same after a row, a fill or a cancel: a plan that was at rest and that nothing has touched still is.

        While book and broker differ anywhere, what one plan may protect depends on others, and all are looked at.
        """
        book = self._book
        if book.is_disputed:
            return self.look_after(now, tidy=tidy)
        marks = book.index.untidy if tidy else book.index.unsettled
        if not marks:
            return []
        return self._look_at([book.plans[key] for key in book.index.in_order(marks)], now, tidy=tidy)

    def _look_at(
        self, plans: list[Plan], now: datetime, *, grace_over_of: str = "", tidy: bool = False
    ) -> list[Command]:
        commands: list[Command] = []
        if not (self._book.is_connected and self._book.knows_holdings):
            for plan in plans:
                commands += self._doubts.watch_unreached(plan, now, grace_over_of=grace_over_of)
            return commands
        live = self._book.index.legs
        for plan in plans:
            open_quantity, legs = plan.opened - plan.closed, legs_of(live.get(plan.plan_id, ()))
            found = self._pull_bare_entry(plan, legs) if legs.entry is not None else []
            if legs.stops and self._book.is_split_shown(plan.symbol):
                found += self._pull_stops_of_before(plan)
            if open_quantity > 0:
                found += self._cover(plan, legs, now, grace_over_of=grace_over_of)
                if plan.is_past_its_group:
                    found += self._pull_target_of_another_group(plan)
                if tidy or plan.is_past_its_group:
                    found += self._shrink(plan, legs if not found else legs_of(self._book.orders_of(plan.plan_id)))
                if tidy and not found:
                    found += self._bring_near(plan)
            elif open_quantity < 0:
                found += self._give_back(plan, now, grace_over_of=grace_over_of)
            elif tidy or plan.is_past_its_group:
                found += self._clear(plan)
            if legs.exits:
                found += self._cut_give_back(plan)
            is_at_rest = not found and open_quantity >= 0 and plan.unprotected_since is None
            self._book.index.note_look(plan, is_at_rest=is_at_rest, tidy=tidy)
            commands += found
        return commands

    def on_leg_over(self, working: WorkingOrder, now: datetime, *, was_asked: bool) -> list[Command]:
        """An exit or a stop came to nothing; an exit that was to go is sent again, where its shares still have to."""
        if not was_asked:
            return self.on_leg_lost(working, now)
        plan = self._book.plans[working.plan]
        return self._closer.go_on(plan, now) if working.leg is Leg.EXIT and plan.open_quantity > 0 else []

    def on_leg_lost(self, working: WorkingOrder, now: datetime) -> list[Command]:
        """An exit, a stop or a target came to nothing without our asking."""
        if working.leg in PROTECTIVE:
            return self.note_failure(working, now)
        plan = self._book.plans[working.plan]
        if working.leg is Leg.EXIT and plan.open_quantity:
            return [*self._closer.on_failed(plan, now), *self._ask_what_is_held(plan, working, now)]
        if working.leg is Leg.TAKE_PROFIT and plan.open_quantity > 0 and plan.unprotected_since is not None:
            return self._ask_what_is_held(plan, working, now)
        return []

    def on_refused(self, working: WorkingOrder, now: datetime, *, is_group_over: bool) -> list[Command]:
        """An exit or a stop was refused; one whose OCA group is over has not failed: another order of it has filled."""
        plan = self._book.plans[working.plan]
        if is_group_over:
            if working.order.oca_group == plan.oca_group:
                plan.leave_group()
            if working.leg in PROTECTIVE:
                return self._ask_what_is_held(plan, working, now) if plan.open_quantity > 0 else []
        elif not plan.is_first_of_group(working.order.ref):
            plan.has_group_refused = True
        return self.on_leg_lost(working, now)

    def note_failure(self, working: WorkingOrder, now: datetime) -> list[Command]:
        """A protective leg was refused, or ended without our asking; an alarm if it never was at the broker at all."""
        plan = self._book.plans[working.plan]
        recent = [at for at in plan.failed_protections if now - at < FAILURE_WINDOW]
        plan.failed_protections = [*recent, now]
        if plan.open_quantity <= 0 or working.status is OrderStatus.REJECTED:
            return []  # a refusal is an alarm already
        commands: list[Command] = []
        if not working.perm_id:
            ref, bare = working.order.ref, plan.open_quantity
            text = f"{ref}: never confirmed and now denied, {bare} shares were without a stop"
            commands.append(Notify(level="critical", code="stop_unconfirmed", text=text))
        return [*commands, *self._ask_what_is_held(plan, working, now)]

    def _ask_what_is_held(self, plan: Plan, working: WorkingOrder, now: datetime) -> list[Command]:
        """A split may have cancelled the leg, or a fill of its OCA group."""
        is_told = working.missing_reports >= LOST_AFTER_REPORTS  # the last of them has said what is held without it
        if working.status is not OrderStatus.CANCELLED or is_told:
            return []
        self._book.legs_gone[plan.symbol] = now
        return [AskBroker(reasons=(f"{working.order.ref}: why is it gone?",))]

    def cannot_wait_for_a_row(self, now: datetime) -> bool:
        """Whether a report has to tidy: no row comes, or nothing that may still come makes these legs smaller."""
        if self._have_rows_ceased(now):
            return True
        plans = self._book.plans.values()
        return any(self._has_refused_change(plan) or self._has_lone_legs(plan, now) for plan in plans)

    def _have_rows_ceased(self, now: datetime) -> bool:
        """Whether the session runs and no row has come for so long that nothing may wait for the next one."""
        hours, last = self._book.hours, self._book.last_row_at
        if hours is None or last is None or not hours.opens_at <= now < hours.closes_at:
            return False
        silent = timedelta(seconds=min(SILENT_ROWS * self._settings.interval_s, SILENT_AT_MOST_S))
        return now - max(last, hours.opens_at) > silent

    def _has_refused_change(self, plan: Plan) -> bool:
        """Whether the broker refuses to change a leg that works: the next row could not make it smaller either."""
        return any(ref in self._book.orders for ref in plan.refused_changes)

    def _has_lone_legs(self, plan: Plan, now: datetime) -> bool:
        """Whether legs work though nothing is open, and not just now: TWS has not taken them, and may never.

        Where it does not know their entry, it does not; nor of a group in which two have filled (TWS.md 4.35).
        """
        if plan.open_quantity or not self._book.orders_of(plan.plan_id) or not self._is_entry_over(plan):
            return False
        lately = self._book.in_broker_time(now) - GROUP_CUTS
        fills = self._book.fills.values()
        return not any(fill.filled_at > lately and fill.ref.startswith(f"{plan.plan_id}:") for fill in fills)

    # --- cover ------------------------------------------------------------------------------------------------------

    def _pull_bare_entry(self, plan: Plan, legs: Legs) -> list[Command]:
        entry = legs.entry
        if entry is None or legs.stops >= max(plan.open_quantity, 0) + entry.remaining:
            return []
        return self._answers.cancel(entry, "its stop loss is gone")

    def _pull_stops_of_before(self, plan: Plan) -> list[Command]:
        """One that was put back before the split was known has its price: it would fire at once, or never."""
        stops = [order for order in self._book.orders_of(plan.plan_id) if order.leg in PROTECTIVE]
        return [command for stop in stops for command in self._answers.cancel(stop, "its price is of before the split")]

    def _cover(self, plan: Plan, legs: Legs, now: datetime, *, grace_over_of: str) -> list[Command]:
        if legs.stops >= plan.opened - plan.closed and not legs.doubtful:  # nothing can be missing
            plan.unprotected_since, plan.is_doubt_told = None, False
            return []
        room = plan.open_quantity - legs.given_up  # such a stop may come to work after all: together never too many
        missing = min(self._book.protectable(plan), room) - legs.stops
        if missing <= 0:
            return self._doubts.watch_stop(plan, legs, now, grace_over_of=grace_over_of)
        ended = self._last_ended_stop(plan)
        was_refused = ended is not None and self._book.closed_orders[ended] is OrderStatus.REJECTED
        begun: list[Command] = []
        if plan.unprotected_since is None:
            begun.append(self._doubts.begin_grace(plan, now))
            if not was_refused:
                return begun
        waited_s = self._doubts.waited_s(plan, now)
        is_at_last = grace_over_of == AT_LAST + plan.plan_id or waited_s >= self._settings.protect_at_last_s
        connected_at = self._book.connected_at  # the timer may have fired before, and this line has told what filled
        is_of_before = connected_at is not None and (plan.unprotected_since or now) <= connected_at
        is_over = grace_over_of == plan.plan_id or is_of_before or waited_s >= self._settings.protect_after_s
        is_explained = plan.symbol not in self._book.legs_gone  # else it may be a split's
        if was_refused or is_at_last or (is_over and is_explained):
            commands = self._protect(plan, missing, now)
            commands += begun if plan.unprotected_since is not None else []
            return commands + self._doubts.watch_exit(plan, now, grace_over_of=grace_over_of)
        is_asked_now = grace_over_of in (plan.plan_id, IN_DOUBT + plan.plan_id)  # that of an older doubt ends no grace
        return self._ask_why(plan) if is_asked_now else []

    def _last_ended_stop(self, plan: Plan) -> str | None:
        ended = [ref for ref in plan.refs if ref in self._book.closed_orders]
        return next((ref for ref in reversed(ended) if self._book.ref_of(ref).leg in PROTECTIVE), None)

    def _ask_why(self, plan: Plan) -> list[Command]:
        timer = self._doubts.last_timer(plan, self._settings.protect_after_s)
        return [AskBroker(reasons=(f"{plan.plan_id}: its stop is gone, what is held?",)), timer]

    def _protect(self, plan: Plan, missing: int, now: datetime) -> list[Command]:
        self.stop_prices.complete(plan)
        failures = [at for at in plan.failed_protections if now - at < FAILURE_WINDOW]
        if plan.stop_price is None or self.stop_prices.is_through(plan) or len(failures) >= FAILURES_MAX:
            return self._closer.close_unprotectable(plan, now)
        plan.unprotected_since, plan.is_doubt_told = None, False
        stop = self._enlargeable(plan)
        if stop is not None:
            return self._enlarge(plan, stop, missing)
        oca_groups.move_on(self._book, plan)
        ref = leg_ref(plan.plan_id, Leg.PROTECTION, plan.next_number(Leg.PROTECTION))
        order = planning.stop_order(plan, ref, missing)
        send(self._book, order, now)
        text = f"{plan.plan_id}: {missing} shares of {plan.symbol} had no stop, placed one at {plan.stop_price}"
        return [
            ReplaceStop(order=order, reasons=(f"{missing} of {plan.open_quantity} shares without a stop",)),
            self._answers.await_order(order),
            Notify(level="warning", code="reprotected", text=text),
        ]

    def _enlargeable(self, plan: Plan) -> WorkingOrder | None:
        """A stop that can take what is missing: of two in one OCA group each is cut by all that an exit fills.

        Not while an exit works: as in `_shrink` the change would give back what the group has taken.
        """
        orders = self._book.orders_of(plan.plan_id)
        if any(order.leg is Leg.EXIT for order in orders):
            return None
        stops = (order for order in orders if order.leg in PROTECTIVE)
        working = (stop for stop in stops if stop.status is OrderStatus.WORKING and not stop.is_given_up)
        fitting = (stop for stop in working if stop.order.oca_group == plan.oca_group)
        return next((stop for stop in fitting if stop.order.ref not in plan.refused_changes), None)

    def _enlarge(self, plan: Plan, stop: WorkingOrder, missing: int) -> list[Command]:
        quantity = stop.remaining + missing
        text = f"{stop.order.ref}: {missing} shares of {plan.symbol} had no stop, it is for {quantity} from now on"
        reason = f"{missing} of {plan.open_quantity} shares without a stop"
        return [*self._change(plan, stop, quantity, reason), Notify(level="warning", code="reprotected", text=text)]

    def leave_waiting(self, stop: WorkingOrder) -> list[Command]:
        """Of a stop that is given up only what the account lacks shall wait, so that one for the others has room.

        What the broker takes of that his next report shows, and the book believes that alone.
        """
        plan, ref = self._book.plans[stop.plan], stop.order.ref
        lacking = plan.open_quantity - self._book.protectable(plan)
        is_open = ref in plan.unconfirmed_changes or ref in plan.refused_changes
        if not stop.is_given_up or is_open or not 0 < lacking < stop.remaining:
            return []
        reason = f"TWS holds back all {stop.remaining} shares, the account lacks {lacking}"
        order = self._resized(plan, stop, lacking)
        return [ReplaceStop(order=order, reasons=(reason,)), self._answers.await_change(stop)]

    # --- tidy -------------------------------------------------------------------------------------------------------

    def _shrink(self, plan: Plan, legs: Legs) -> list[Command]:
        """Once the entry is over, nothing that closes the plan may be larger than the position.

        While an exit works its OCA group takes off stops and targets what it fills, and a change of theirs that leaves
        now would come behind that and give it back: they wait until it is over. Not where the broker took shares of the
        entry back, which the group will never take off.
        """
        if legs.entry is not None:
            return []
        orders = self._book.orders_of(plan.plan_id)
        exits = [order for order in orders if order.leg is Leg.EXIT and order.order.side is not plan.side]
        stops = [order for order in orders if order.leg in PROTECTIVE and not order.is_given_up]
        targets = [order for order in orders if order.leg is Leg.TAKE_PROFIT]
        kinds: list[list[WorkingOrder]] = [exits] if legs.exits else [stops, targets]
        if legs.exits and plan.has_lost_shares:
            kinds = [exits, stops, targets]
        too_large = [kind for kind in kinds if sum(each.remaining for each in kind) > plan.open_quantity]
        return [command for kind in too_large for command in self._fit(plan, kind, plan.open_quantity)]

    def _bring_near(self, plan: Plan) -> list[Command]:
        commands: list[Command] = []
        for stop in too_far(self._book, plan):
            if stop.order.ref in plan.refused_changes:
                commands += self._answers.cancel(stop, "its change was refused, it comes anew")
            else:
                reason = "there is a price of now, its stop stood far from it"
                commands += self._change(plan, stop, stop.remaining, reason)
        return commands

    def _pull_target_of_another_group(self, plan: Plan) -> list[Command]:
        """What one of two groups fills is not taken off the other: stop and target would both close the position."""
        orders = self._book.orders_of(plan.plan_id)
        groups = {order.order.oca_group for order in orders if order.leg in PROTECTIVE}
        commands: list[Command] = []
        for target in [order for order in orders if order.leg is Leg.TAKE_PROFIT]:
            if groups - {target.order.oca_group}:
                commands += self._answers.cancel(target, "its stop stands in another OCA group, both could fill")
        return commands

    def _fit(self, plan: Plan, legs: list[WorkingOrder], left: int) -> list[Command]:
        """Keep the oldest legs as far as there are shares left for them."""
        commands: list[Command] = []
        for working in legs:
            if working.remaining > left and working.status is OrderStatus.WORKING:
                commands += self._resize(plan, working, left)
            left = max(left - working.remaining, 0)
        return commands

    def _resize(self, plan: Plan, working: WorkingOrder, quantity: int) -> list[Command]:
        if quantity == 0:
            return self._answers.cancel(working, "no share is left for it")
        if working.order.ref in plan.refused_changes:
            return self._answers.cancel(working, "its change was refused, it comes anew")
        return self._change(plan, working, quantity, f"{plan.open_quantity} shares are open, the leg covered more")

    def _change(self, plan: Plan, working: WorkingOrder, quantity: int, reason: str) -> list[Command]:
        """Let the leg cover so many shares from now on."""
        working.order = order = self._resized(plan, working, quantity)
        self._book.touch(plan)
        return [ReplaceStop(order=order, reasons=(reason,)), self._answers.await_change(working)]

    def _resized(self, plan: Plan, working: WorkingOrder, quantity: int) -> Order:
        order = replace(working.order, quantity=working.spent + quantity)
        if working.leg in PROTECTIVE and plan.is_trailing:  # a change must not move it back to where it began
            order = replace(order, stop_price=self.stop_prices.followed(plan, order.stop_price))
        elif working in too_far(self._book, plan):
            order = replace(order, stop_price=plan.stop_price)
        return order

    def _give_back(self, plan: Plan, now: datetime, *, grace_over_of: str) -> list[Command]:
        """Once nothing more of the entry can fill; what it has filled may be under way to us, so it has the grace.

        What a split has made of them is a person's to accept, and goes back then.
        """
        entry, quantity = self._book.entry_of(plan), self._overfills.owed(plan)
        if quantity == 0 or self._book.has_split(plan.symbol) or plan.symbol in self._book.legs_gone:
            return []
        if entry is None:
            return self._overfills.give_back(plan, quantity, now)
        if plan.unprotected_since is None:
            return [self._doubts.begin_grace(plan, now)]
        is_over = grace_over_of == plan.plan_id or self._doubts.waited_s(plan, now) >= self._settings.protect_after_s
        return self._overfills.pull_entry(plan, entry, quantity) if is_over else []

    def _cut_give_back(self, plan: Plan) -> list[Command]:
        """What the broker has given back meanwhile, or never sold too many, must not come twice."""
        return self._fit(plan, self._overfills.on_their_way(plan), max(-plan.open_quantity, 0))

    def _clear(self, plan: Plan) -> list[Command]:
        """A plan whose entry is over (filled, busted afterwards, cancelled, lost) and that is flat needs no legs."""
        if not self._is_entry_over(plan):
            return []
        commands: list[Command] = []
        for working in list(self._book.orders_of(plan.plan_id)):
            if working.status is OrderStatus.WORKING:
                commands += self._answers.cancel(working, "the plan is flat")
        return commands

    def _is_entry_over(self, plan: Plan) -> bool:
        """Of one that the book has never seen end the executions may still come."""
        has_ended = leg_ref(plan.plan_id, Leg.ENTRY) in self._book.closed_orders
        return (has_ended or plan.opened > 0 or plan.is_busted) and self._book.entry_of(plan) is None
