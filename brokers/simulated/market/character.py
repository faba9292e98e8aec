"""How eventful a synthetic market is."""

import msgspec

from shared.errors import DataError


class Character(msgspec.Struct, frozen=True, kw_only=True):
    """Rates per instrument and day. The default is a calm market in which none of this happens.

    A rate of halts, gaps, splits or dividends is a probability (0 to 1), that of bars an expected number (0 to
    1000). Halts themselves are not drawn: they follow from the path, which leaves the LULD band when news moves
    a price by 7 to 18 % at once.
    """

    halt_rate: float = 0.0  # news during the session
    gap_rate: float = 0.0  # a jump: of 3 to 12 % overnight, or of 1 to 4.5 % during the session
    missing_bar_rate: float = 0.0  # five-second bars that are never delivered
    late_bar_rate: float = 0.0  # five-second bars that are delivered 5 to 60 s late
    split_rate: float = 0.0
    dividend_rate: float = 0.0  # of 0.2 to 1 % of the price

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value, most = getattr(self, name), 1000.0 if "bar" in name else 1.0
            if not 0 <= value <= most:
                raise DataError(f"synthetic market: {name} = {value}, allowed is 0 to {most:g} a day")

    @property
    def moves_prices(self) -> bool:
        return bool(self.halt_rate or self.gap_rate or self.split_rate or self.dividend_rate)

    @property
    def withholds_bars(self) -> bool:
        return bool(self.missing_bar_rate or self.late_bar_rate)


CALM = Character()
LIVELY = Character(
    halt_rate=0.02, gap_rate=0.05, missing_bar_rate=2.0, late_bar_rate=2.0, split_rate=0.002, dividend_rate=0.016
)
"""Every kind of event within a few sessions of a few names; dividends about quarterly."""
