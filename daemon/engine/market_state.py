"""Which instruments the exchange has paused, and whose market data cannot be traded on."""

from __future__ import annotations

from msgspec import Struct, field

from shared.commands import Command, Notify
from shared.events import DataQualityReported, TradingHalted


class MarketState(Struct, kw_only=True):
    """By symbol; an entry under the empty symbol holds for all instruments."""

    halted: dict[str, int] = field(default_factory=dict)
    quality: dict[str, str] = field(default_factory=dict)

    def take_halt(self, event: TradingHalted) -> None:
        """Note a pause, or its end."""
        if event.code:
            self.halted[event.symbol] = event.code
        else:
            self.halted.pop(event.symbol, None)

    def take_quality(self, event: DataQualityReported) -> list[Command]:
        """Note what the data are worth; a change is said once."""
        if self.quality.get(event.symbol, "live") == event.quality:
            return []
        if event.quality == "live":
            self.quality.pop(event.symbol, None)
        else:
            self.quality[event.symbol] = event.quality
        whose = event.symbol or "all instruments"
        text = f"market data of {whose}: {event.quality} ({event.reason})"
        return [Notify(level="info" if event.quality == "live" else "warning", code="data_quality", text=text)]

    def is_halted(self, symbol: str) -> bool:
        """Whether the exchange has paused the instrument."""
        return symbol in self.halted

    def quality_of(self, symbol: str) -> str:
        """'live', or what else is true of this instrument or of all."""
        return self.quality.get(symbol) or self.quality.get("", "live")
