"""Live against backtest, order by order: what was decided, what it cost, what filled on one side only.

Two plans are the same where strategy, symbol, side and the row they were decided on agree; their legs are compared by
role. An order that was decided on one side alone is named too.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from research.nightly.order_log import OrderStory, Role
from shared.orders import Side

Verdict = Literal["both", "live only", "replay only", "neither"]
_BPS = 10_000.0
_ROLES: tuple[Role, ...] = ("entry", "stop", "target", "exit")


class OneSide(Struct, frozen=True, kw_only=True):
    """An order as one of the two saw it. `accepted_s` and `filled_s` count from the decision, None in a replay.

    `slippage` in currency against the decision price, positive = it cost; None without a fill.
    """

    ref: str
    quantity: int
    filled: int
    price: float | None
    decision_price: float | None
    filled_at: datetime | None
    slippage: float | None
    accepted_s: float | None = None
    filled_s: float | None = None
    ended: str = ""


class GapLine(Struct, frozen=True, kw_only=True):
    """One order on both sides; None where that side never decided it."""

    strategy: str
    symbol: str
    role: Role
    side: Side
    row_at: datetime
    live: OneSide | None
    replay: OneSide | None

    @property
    def verdict(self) -> Verdict:
        """Where it filled."""
        has_live = self.live is not None and self.live.filled > 0
        has_replay = self.replay is not None and self.replay.filled > 0
        if has_live and has_replay:
            return "both"
        if has_live:
            return "live only"
        return "replay only" if has_replay else "neither"

    @property
    def gap_bps(self) -> float | None:
        """How much worse than the replay's the live price was, in bps of it; None unless both filled."""
        if self.live is None or self.replay is None or self.live.price is None or self.replay.price is None:
            return None
        return _BPS * self.side.sign * (self.live.price / self.replay.price - 1)

    @property
    def gap(self) -> float | None:
        """The same in currency, over the shares that both filled."""
        if self.live is None or self.replay is None or self.live.price is None or self.replay.price is None:
            return None
        shares = min(self.live.filled, self.replay.filled)
        return self.side.sign * (self.live.price - self.replay.price) * shares


class GapReport(Struct, frozen=True, kw_only=True):
    """All orders of a session; money in currency, positive = it cost. None = there is nothing to tell it from."""

    lines: tuple[GapLine, ...]
    caveats: tuple[str, ...]
    filled_both: int
    filled_live_only: int
    filled_replay_only: int
    decided_live_only: int
    decided_replay_only: int
    live_slippage: float
    model_slippage: float
    gap: float
    accepted_s_median: float | None
    accepted_s_max: float | None
    filled_s_median: float | None
    filled_s_max: float | None


def gap_report(live: Sequence[OrderStory], replay: Sequence[OrderStory], caveats: Iterable[str]) -> GapReport:
    """Every order of both sides, in the order of their rows."""
    lines = tuple(sorted(_lines(live, replay), key=lambda line: (line.row_at, line.strategy, line.symbol)))
    verdicts = [line.verdict for line in lines]
    accepted = [line.live.accepted_s for line in lines if line.live is not None and line.live.accepted_s is not None]
    entries = [line.live for line in lines if line.live is not None and line.role in {"entry", "exit"}]
    filled = [each.filled_s for each in entries if each.filled_s is not None]
    both = [line for line in lines if line.verdict == "both"]
    return GapReport(
        lines=lines,
        caveats=tuple(caveats),
        filled_both=verdicts.count("both"),
        filled_live_only=verdicts.count("live only"),
        filled_replay_only=verdicts.count("replay only"),
        decided_live_only=sum(line.replay is None for line in lines),
        decided_replay_only=sum(line.live is None for line in lines),
        live_slippage=math.fsum(line.live.slippage or 0.0 for line in both if line.live is not None),
        model_slippage=math.fsum(line.replay.slippage or 0.0 for line in both if line.replay is not None),
        gap=math.fsum(line.gap or 0.0 for line in both),
        accepted_s_median=statistics.median(accepted) if accepted else None,
        accepted_s_max=max(accepted, default=None),
        filled_s_median=statistics.median(filled) if filled else None,
        filled_s_max=max(filled, default=None),
    )


_PlanKey = tuple[str, str, Side, datetime]


def _lines(live: Sequence[OrderStory], replay: Sequence[OrderStory]) -> Iterable[GapLine]:
    ours, theirs = _plans(live), _plans(replay)
    for key in dict.fromkeys([*ours, *theirs]):
        mine, others = ours.get(key, {}), theirs.get(key, {})
        for role in _ROLES:
            pair = mine.get(role), others.get(role)
            # A stop or target that filled nowhere did its work by being there.
            if role == "entry" or any(story is not None and story.filled for story in pair):
                yield from _line(key, *pair)


def _line(key: _PlanKey, live: OrderStory | None, replay: OrderStory | None) -> Iterable[GapLine]:
    story = live or replay
    if story is None:
        return
    yield GapLine(
        strategy=key[0],
        symbol=key[1],
        role=story.role,
        side=story.order.side,
        row_at=story.row_at,
        live=None if live is None else _one_side(live, is_live=True),
        replay=None if replay is None else _one_side(replay, is_live=False),
    )


def _plans(stories: Sequence[OrderStory]) -> dict[_PlanKey, dict[Role, OrderStory]]:
    """Plan -> role -> the order that filled, or else the first; where several filled they are told as one.

    An order whose plan has no entry among the stories stands by itself.
    """
    entries = {story.parts.plan_id: story for story in stories if story.role == "entry"}
    plans: dict[_PlanKey, dict[Role, OrderStory]] = {}
    for story in stories:
        entry = entries.get(story.parts.plan_id, story)
        side = story.order.side if entry is story else entry.order.side
        key = (story.parts.strategy, story.order.symbol, side, entry.row_at)
        legs = plans.setdefault(key, {})
        known = legs.get(story.role)
        if known is None or not known.filled:
            legs[story.role] = story if known is None or story.filled else known
        elif story.filled:
            legs[story.role] = replace(known, fills={**known.fills, **story.fills})
    return plans


def _one_side(story: OrderStory, *, is_live: bool) -> OneSide:
    price, decided = story.price, story.decision_price
    slippage = None
    if price is not None and decided is not None:
        slippage = story.order.side.sign * (price - decided) * story.filled
    return OneSide(
        ref=story.ref,
        quantity=story.order.quantity,
        filled=story.filled,
        price=price,
        decision_price=decided,
        filled_at=story.filled_at,
        slippage=slippage,
        accepted_s=story.accepted_s if is_live else None,
        filled_s=story.filled_s if is_live else None,
        ended=story.ended,
    )
