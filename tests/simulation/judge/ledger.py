"""The broker's truth, kept from its own records: what is held, behind which orders, out of which executions."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from tests.simulation.history import Broker, BrokerSeen, Told
from tests.simulation.judge.breach import DUST
from tests.simulation.judge.order import Executed, Resting
from tests.simulation.judge.ref import STOPS, is_adopted, ref_of, sign_of, stem_of

_ON_ITS_WAY_S = 1.0
"""So long a report may be under way while the broker executes."""
_NOT_WORKING = frozenset({"PendingSubmit", "Inactive"})


class Ledger:
    """Everything by the broker's records; `foreign` are shares of a symbol that no plan of the daemon has moved."""

    def __init__(self) -> None:
        self.resting: dict[int, Resting] = {}
        self.executed: dict[str, Executed] = {}
        self.arrived: set[str] = set()
        """References that the broker has had."""
        self.versions: dict[str, tuple[str, str, float]] = {}
        """Side, symbol and shares of every execution and correction as it was told, by its whole id."""
        self._by_ref: dict[str, list[Executed]] = defaultdict(list)
        self.held: dict[str, float] = {}
        """Signed shares by plan, of those that hold any."""
        self.own: dict[str, float] = defaultdict(float)
        """Signed shares by symbol that the daemon's plans hold together."""
        self.foreign: dict[str, float] = defaultdict(float)
        self.accepted: dict[str, float] = defaultdict(float)
        """What of them the book holds since it was last set to the broker's."""
        self.commissions: dict[str, float] = defaultdict(float)
        """Dollars by symbol since it was last flat."""
        self.plans_since_flat: dict[str, set[str]] = defaultdict(set)
        """Plans that have held shares of a symbol since nobody held any."""
        self._before_flat: dict[str, tuple[set[str], float]] = {}
        """The plans and the dollars of before a symbol was last flat, which a correction may find not to have been."""
        self.symbol_of: dict[str, str] = {}
        self.touched_at: dict[str, float] = {}
        """When the broker last did something in the symbol."""
        self.moved_at: dict[str, float] = {}
        """When what is held of a symbol last changed."""
        self._liquidated: dict[str, dict[str, float]] = {}
        """What each of the broker's own sales took from which plan, by the stem of its execution."""
        self._shared_anew: set[str] = set()
        """Symbols in which one of them was corrected: whose shares that was, ours or adopted ones, nobody can tell."""
        self._foreign_before: dict[str, tuple[float, float]] = {}
        """When the broker last executed or corrected something, and what was nobody's plan's until then."""
        self.disturbed: set[str] = set()
        """Plans whose executions were corrected, and symbols in which somebody else has traded, or which split."""
        self.split: dict[str, tuple[float, float]] = {}
        """When the symbol last split, and new shares for an old one."""
        self.twinned: set[str] = set()
        """Plans of which one reference lived twice at the broker."""

    def take(self, record: Broker) -> None:
        """One record of the gateway's ledger."""
        plain = record.record
        if record.what in {"execution", "correction"}:
            symbol = str(plain.get("execution", plain)["symbol"])
            self._foreign_before[symbol] = record.at, self.foreign[symbol]
        match record.what:
            case "order":
                self._order(plain, record.at)
            case "execution":
                self._execution(plain, record.at)
            case "correction":
                self._correction(plain["execution"], record.at)
            case "ended":
                gone = self.resting.pop(int(plain["perm_id"]), None)
                if gone is not None:
                    self.touched_at[gone.symbol] = record.at
            case "split":
                self._split(str(plain["symbol"]), float(plain["ratio"]), record.at)
            case "commission":
                done = self.executed.get(stem_of(str(plain["exec_id"])))
                if done is not None:
                    self.commissions[done.symbol] += float(plain["commission"])

    def see(self, seen: BrokerSeen) -> None:
        """What is held by nobody's plan, and which orders are held back, is what the broker shows."""
        for symbol in sorted({*seen.positions, *self.own, *self.foreign}):
            foreign = seen.positions.get(symbol, 0.0) - self.own[symbol]
            self.foreign[symbol] = 0.0 if abs(foreign) < DUST else foreign
        status = {str(order["ref"]): str(order.get("status", "")) for order in seen.orders}
        for order in self.resting.values():
            order.is_held = status.get(order.ref, "") in _NOT_WORKING

    def tell(self, told: Told) -> None:
        """What the broker says of an order's status shows at once whether it is held back."""
        if told.name == "orderStatus":
            perm_id = str(told.fields.get("permId", ""))
            order = self.resting.get(int(perm_id)) if perm_id.isdigit() else None
            if order is not None:
                order.is_held = str(told.fields.get("status", "")) in _NOT_WORKING

    def settle(self, symbol: str, reported: float, at: float) -> None:
        """The book was set to what the broker said it holds: what nobody's plan had moved is a plan's from now on.

        He may have said it a moment before the last execution.
        """
        before_at, before = self._foreign_before.get(symbol, (0.0, 0.0))
        theirs = sorted((0.0, self.foreign[symbol], before if at - before_at < _ON_ITS_WAY_S else 0.0))
        self.accepted[symbol] = min(max(reported - self.own[symbol], theirs[0]), theirs[-1])

    def claim(self, plan: str, shares: float) -> None:
        """Of what its exits had closed too many somebody has brought back so many (signed): they are the plan's."""
        self._let_go([plan] if plan in self.held else [], -shares)

    def disown(self, symbol: str, shares: float, *, is_blurred: bool = False) -> None:
        """A person has said that so many (signed) are held: what our plans hold beyond is nobody's from now on.

        Those that hold on the other side lose nothing by it; adopted plans lose before ours, the youngest first. An
        adopted one holds what was accepted and what its orders have bought or sold of that; what they have closed of
        it is over. All is nobody's where nobody can tell which plan holds what of them (`is_blurred`).
        """
        if is_blurred:
            self._disown_all(symbol)
        self._forget_closed(symbol)
        theirs, adopted = self._of_adopted(symbol), self.of_strangers(symbol)
        beyond = sum(self.held[plan] for plan in self.entered(symbol)) + adopted - shares
        first = math.copysign(min(abs(adopted), abs(beyond)), beyond) if adopted * beyond > 0.0 else 0.0
        self._let_go(theirs, first)  # what none of their orders has moved is set with the rest
        self._let_go(self.entered(symbol), beyond - first)

    def net_out(self, plan: str) -> None:
        """Its shares close as many of the other side's: both are nobody's from now on."""
        held = self.held.get(plan, 0.0)
        others = [other for other in self.entered(self.symbol_of[plan]) if other != plan]
        self._let_go([plan], held + self._let_go(others, -held))

    def _let_go(self, plans: list[str], beyond: float) -> float:
        """So many (signed) shares are nobody's from now on, those of the youngest plan first; returns what is left."""
        for plan in plans[::-1]:
            held, symbol = self.held[plan], self.symbol_of[plan]
            gone = math.copysign(min(abs(held), abs(beyond)), held) if held * beyond > 0 else 0.0
            beyond -= gone
            self.own[symbol] -= gone
            self.foreign[symbol] += gone
            self.held[plan] = held - gone
            if abs(held - gone) < DUST:
                del self.held[plan]
            self.disturbed.add(symbol)
        return beyond

    def _forget_closed(self, symbol: str) -> None:
        """What was accepted and what adopted plans have closed of it are nothing together."""
        theirs = self._of_adopted(symbol)
        moved, accepted = sum(self.held[plan] for plan in theirs), self.accepted[symbol]
        closed = math.copysign(min(abs(moved), abs(accepted)), moved) if moved * accepted < 0.0 else 0.0
        self._let_go(theirs, closed)
        self.accepted[symbol] += closed

    def _disown_all(self, symbol: str) -> None:
        self.disturbed.add(symbol)
        self.foreign[symbol] += self.own.pop(symbol, 0.0)
        for plan in self.holding(symbol):
            del self.held[plan]

    # ------------------------------------------------------------------ reading

    def holding(self, symbol: str) -> list[str]:
        """The plans that hold something of the symbol."""
        return [plan for plan in self.held if self.symbol_of[plan] == symbol]

    def entered(self, symbol: str) -> list[str]:
        """Those of them that entries of ours opened; an adopted plan closes what a stranger had bought or sold."""
        return [plan for plan in self.holding(symbol) if not is_adopted(plan)]

    def _of_adopted(self, symbol: str) -> list[str]:
        return [plan for plan in self.holding(symbol) if is_adopted(plan)]

    def of_strangers(self, symbol: str) -> float:
        """Signed shares that adopted plans hold: what was accepted, as far as their orders have not closed it."""
        return self.accepted[symbol] + sum(self.held[plan] for plan in self._of_adopted(symbol))

    def net(self, symbol: str) -> float:
        """Signed shares at the broker."""
        return self.own[symbol] + self.foreign[symbol]

    def of_plan(self, plan: str, *legs: str) -> list[Resting]:
        """Its living orders of these legs."""
        return [order for order in self.resting.values() if order.plan == plan and order.leg in legs]

    def of_ref(self, ref: str) -> list[Executed]:
        """The executions of one reference, as they stand."""
        return self._by_ref[ref]

    def entries_left(self, plan: str) -> float:
        """Shares that the plan's entry may still bring."""
        return sum(order.remaining for order in self.of_plan(plan, "E"))

    def unclosed(self, plan: str) -> float:
        """Signed shares of the plan that no exit in the market is closing."""
        held = self.held.get(plan, 0.0)
        exits = [order for order in self.of_plan(plan, "X") if sign_of(order.side) * held < 0 and not order.is_held]
        return math.copysign(max(abs(held) - sum(order.remaining for order in exits), 0.0), held)

    def cover(self, plan: str) -> float:
        """Shares of the plan that a stop stands behind, or an exit is closing."""
        against = -1 if self.held.get(plan, 0.0) > 0 else 1
        behind = self.of_plan(plan, *STOPS, "X")
        return sum(order.remaining for order in behind if sign_of(order.side) == against and not order.is_held)

    def adopted(self, plan: str, symbol: str) -> tuple[float, ...]:
        """Signed shares of a stranger that the plan may stand behind, in general one that never had an entry.

        What was accepted counts as well as what is there: until the book is set anew, its stops rest as they are. Both
        with what other adopted plans have bought or sold, which closes a stranger's, or without what their stops cover.
        And the whole rest of what the broker holds, where no entry's stop or exit stands behind it.
        """
        others = sum(self.held[other] for other in self.holding(symbol) if other != plan and is_adopted(other))
        covered = sum(
            math.copysign(self.cover(other), self.held[other]) for other in self.entered(symbol) if other != plan
        )
        rest = self.net(symbol) - covered - self.held.get(plan, 0.0)
        if f"{plan}:E" in self.arrived:
            return (0.0, rest) if symbol in self._shared_anew else (0.0,)
        theirs = (self.foreign[symbol], self.accepted[symbol])
        stops = [order for order in self.resting.values() if order.symbol == symbol and order.leg in STOPS]
        elsewhere = sum(
            -sign_of(order.side) * order.remaining for order in stops if order.plan != plan and is_adopted(order.plan)
        )
        return (*theirs, *(shares + others for shares in theirs), self.foreign[symbol] - elsewhere, rest)

    def bare(self, symbol: str) -> float:
        """Shares of our plans that nothing stands behind; what somebody else has closed for us needs nothing.

        Whole shares: a split's fraction (F16) has no order that could sell it, and is one share less on the other side.
        """
        naked = {1: 0.0, -1: 0.0}
        for plan in self.entered(symbol):
            held, sign = self.held[plan], 1 if self.held[plan] > 0 else -1
            whole = math.floor(abs(held) + DUST)
            naked[sign] += 0.0 if self.goes_back(plan) else max(whole - self.cover(plan), 0.0)
            naked[-sign] -= max(abs(held) - whole, 0.0)
        if self.was_liquidated(symbol):
            common = max(min(naked.values()), 0.0)
            naked = {sign: shares - common for sign, shares in naked.items()}
        return sum(max(math.floor(naked[sign] - self._foreign_help(symbol, sign) + DUST), 0.0) for sign in (1, -1))

    def was_liquidated(self, symbol: str) -> bool:
        """Whether the broker has sold of it by itself: which plan's shares, beside exits of ours, nobody can tell."""
        return any(self.executed[stem].symbol == symbol for stem in self._liquidated)

    def goes_back(self, plan: str) -> bool:
        """Whether its exits sold too many and an order is giving back: one at a time does, the rest follows it."""
        held, entered = self.held[plan], sum(done.signed for done in self.of_ref(f"{plan}:E"))
        return held * entered < 0 and any(sign_of(order.side) * held < 0 for order in self.of_plan(plan, "X"))

    def _foreign_help(self, symbol: str, sign: int) -> float:
        """What a stranger has closed of that side for us, and adopted plans have or may, beyond a stranger's."""
        theirs = sign * self.foreign[symbol]
        stops = [order for order in self.resting.values() if order.symbol == symbol and order.leg in STOPS]
        adopted = sum(one.remaining for one in stops if is_adopted(one.plan) and sign_of(one.side) == -sign)
        plans = [plan for plan in self.holding(symbol) if is_adopted(plan)]
        adopted += sum(max(-sign * self.held[plan], 0.0) for plan in plans)
        return max(-theirs, -sign * self.accepted[symbol], 0.0) + max(adopted - max(theirs, 0.0), 0.0)

    # ------------------------------------------------------------------ leaves

    def _order(self, plain: dict[str, Any], at: float) -> None:
        perm_id, ref = int(plain["perm_id"]), str(plain["order_ref"])
        known, parts = self.resting.get(perm_id), ref_of(ref)
        symbol = str(plain["symbol"])
        self.touched_at[symbol] = at
        self.arrived.add(ref)
        if known is None and plain["change"] != "liquidation":
            if parts and any(order.ref == ref for order in self.resting.values()):
                self.twinned.add(parts.plan)
            self.resting[perm_id] = known = Resting(
                perm_id=perm_id,
                order_id=int(plain["order_id"]),
                ref=ref,
                plan=parts.plan if parts else "",
                leg=parts.leg if parts else "",
                symbol=symbol,
                side=str(plain["side"]),
                quantity=0.0,
                born_at=at,
            )
        if known is not None:
            known.quantity, known.stop_price = float(plain["quantity"]), plain["stop_price"]

    def _execution(self, plain: dict[str, Any], at: float) -> None:
        ref, symbol = str(plain["order_ref"]), str(plain["symbol"])
        parts = ref_of(ref)
        self.versions[str(plain["exec_id"])] = (str(plain["side"]), symbol, float(plain["quantity"]))
        done = Executed(
            exec_id=str(plain["exec_id"]),
            ref=ref,
            perm_id=int(plain["perm_id"]),
            plan=parts.plan if parts else "",
            symbol=symbol,
            signed=sign_of(str(plain["side"])) * float(plain["quantity"]),
            price=float(plain["price"]),
            at=at,
        )
        self.executed[stem_of(done.exec_id)] = done
        self._by_ref[ref].append(done)
        if plain.get("liquidation"):
            self._liquidate(done)
        else:
            self._move(done, done.signed, at)
        order = self.resting.get(done.perm_id)
        if order is not None:
            order.filled = float(plain["filled"])
            if order.remaining <= DUST:
                del self.resting[done.perm_id]

    def _correction(self, plain: dict[str, Any], at: float) -> None:
        exec_id = str(plain["exec_id"])
        done = self.executed.get(stem_of(exec_id))
        if done is None:
            return
        self.versions[exec_id] = (str(plain["side"]), done.symbol, float(plain["quantity"]))
        signed = sign_of(str(plain["side"])) * float(plain["quantity"]) * done.ratio
        self.disturbed |= {done.plan}
        if abs(self.net(done.symbol)) < DUST:
            plans, dollars = self._before_flat.get(done.symbol, (set(), 0.0))
            self.plans_since_flat[done.symbol] |= plans
            self.commissions[done.symbol] += dollars
        closed = self._liquidated.pop(stem_of(exec_id), None)
        if closed is None:
            self._move(done, signed - done.signed, at)
        else:
            self._give_back(done, closed)
        done.exec_id, done.signed, done.price = exec_id, signed, float(plain["price"]) / done.ratio
        if closed is not None:
            self._shared_anew.add(done.symbol)
            self._liquidate(done)

    def _move(self, done: Executed, signed: float, at: float) -> None:
        self.touched_at[done.symbol] = self.moved_at[done.symbol] = at
        if done.plan:
            self.symbol_of[done.plan] = done.symbol
            self.own[done.symbol] += signed
            self.plans_since_flat[done.symbol].add(done.plan)
            self.held[done.plan] = self.held.get(done.plan, 0.0) + signed
            if abs(self.held[done.plan]) < DUST:
                del self.held[done.plan]
        else:
            self.foreign[done.symbol] += signed
            self.disturbed.add(done.symbol)
        if abs(self.net(done.symbol)) < DUST:
            self._before_flat[done.symbol] = self.plans_since_flat[done.symbol], self.commissions[done.symbol]
            self.commissions[done.symbol] = 0.0
            self.plans_since_flat[done.symbol] = set(self.holding(done.symbol))

    def _liquidate(self, done: Executed) -> None:
        """The broker closes what our plans hold, the oldest first; only what is left over is a stranger's.

        Of a stranger's it is what was accepted first, as far as its plans have not closed it: the daemon closes those.
        """
        left, self.touched_at[done.symbol] = done.signed, done.at
        self.moved_at[done.symbol] = done.at
        self.disturbed.add(done.symbol)
        taken = self._liquidated[stem_of(done.exec_id)] = {}
        for plan in self.entered(done.symbol):
            closed = math.copysign(min(abs(left), abs(self.held[plan])), left) if left * self.held[plan] < 0 else 0.0
            self.held[plan] += closed
            self.own[done.symbol] += closed
            taken[plan] = closed
            left -= closed
            if abs(self.held[plan]) < DUST:
                del self.held[plan]
        self.foreign[done.symbol] += left
        adopted = self.of_strangers(done.symbol)
        if adopted * left < 0:
            self.accepted[done.symbol] += math.copysign(min(abs(left), abs(adopted)), left)

    def _give_back(self, done: Executed, taken: dict[str, float]) -> None:
        """A liquidation that is corrected has not been."""
        for plan, closed in taken.items():
            self.held[plan] = self.held.get(plan, 0.0) - closed
            self.own[done.symbol] -= closed
        self.foreign[done.symbol] -= done.signed - sum(taken.values())

    def _split(self, symbol: str, ratio: float, at: float) -> None:
        self.touched_at[symbol] = self.moved_at[symbol] = at
        self.split[symbol] = at, ratio
        self.disturbed.add(symbol)
        self.foreign[symbol] *= ratio
        self.own[symbol] *= ratio
        self.accepted[symbol] *= ratio
        for plan in self.holding(symbol):
            self.held[plan] *= ratio
        for done in self.executed.values():
            if done.symbol == symbol:
                done.signed *= ratio
                done.price /= ratio
                done.ratio *= ratio
        for stem, taken in self._liquidated.items():
            if self.executed[stem].symbol == symbol:
                self._liquidated[stem] = {plan: closed * ratio for plan, closed in taken.items()}
