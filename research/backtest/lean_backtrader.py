"""backtrader without TA-Lib.

Its module `bt.talib` imports TA-Lib where that is installed, and with it pandas: half of what a cold replay would
import, and nobody here reads it. Imported here, `bt.talib` is as empty as where TA-Lib is not installed; TA-Lib itself
can be imported as ever. A process that has imported backtrader or TA-Lib before keeps what it has.
"""

from __future__ import annotations

import sys

_hides = "talib" not in sys.modules
if _hides:
    sys.modules["talib"] = None  # type: ignore[assignment] # the import system's way to say: not to be found
try:
    import backtrader as bt
finally:
    if _hides:
        del sys.modules["talib"]

__all__ = ["bt"]
