"""Risk: pure. From a conviction to a quantity, and from an intent to a verdict that carries every breach.

limits.py         the configured numbers; there are no defaults
view.py           what the gate sees of the world
checks.py         one function per rule
gate.py           all checks on one intent; fails closed
trading_state.py  ACTIVE, REDUCING, HALTED, OBSERVE; the strictest wins
allocation.py     equity -> the capital behind one conviction
sizing.py         conviction -> shares
exits.py          stop-loss and take-profit prices
"""
