"""Keeps the closes of an earlier run where a new load of this file does not wipe them out."""

import builtins

from strategies.base import Strategy


class RemembersTheLastRun(Strategy):
    def on_row(self, row, closed_at, /):
        seen = builtins.__dict__.setdefault("seen_by_a_cheat", {})
        known = [at for at in seen if at > closed_at]
        seen[closed_at] = float(row.close[0])
        if not known:
            return []
        return [self.signal(0, float(seen[min(known)] > row.close[0]), "")]
