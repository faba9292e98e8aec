"""Risk: pure. From a conviction to a quantity, and from an intent to a verdict that carries every breach.

limits.py         the configured numbers; there are no defaults
view.py           what the gate sees of the world
checks.py         the table of rules, one function per rule:
  standing.py       states, reconciliation, account, session, exchange, data
  prices.py         the price an entry would pay
  behaviour.py      too fast, twice, again and again, against ourselves, short
  sizes.py          one entry, one position
  exposures.py      the whole account: gross, net, beta, groups, buying power, value at risk
breaches.py       how a rule objects, and the arithmetic that rules share
gate.py           all checks on one intent; fails closed
portfolio.py      value at risk and the expected loss beyond it, two ways
groups.py         which instruments move together, and their betas
trading_state.py  ACTIVE, REDUCING, HALTED, OBSERVE; the strictest wins
allocation.py     equity -> the capital behind one conviction
sizing.py         conviction -> shares; insider_size.py what insiders' scores make of them
exits.py          stop-loss and take-profit prices
"""
