"""The deciding core: pure, deterministic, without clock, chance, logging or IO.

engine.py      one match statement over all events: the table of contents of the system
book.py        what we believe: positions, orders, prices, account
order_life.py  the order states and the table of allowed transitions
planning.py    targets - holdings - working and unknown orders = intents
truth.py       a report of the broker, in this order: executions, orders, positions, money, and are we reconciled
executions.py  one execution, live, recovered, corrected, busted or a liquidation; and what it cost
reconcile.py   orders of the report against the book; lost, doubled and rebuilt ones
position_breaks.py  positions of the report against the book; locks.py what follows, discrepancy.py how it is told
settler.py     when a break is settled; settlement.py the fills that do it; corporate_action.py splits
account_ledger.py, money.py  what cash and net liquidation should be, and the alarm if they are not
operator.py    the verbs of a person
snapshot.py    the engine's state as one message, and back
"""
