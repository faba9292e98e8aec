"""The deciding core: pure, deterministic, without clock, chance, logging or IO.

engine.py      one match statement over all events: the table of contents of the system
book.py        what we believe: positions, orders, prices, account
order_life.py  the order states and the table of allowed transitions
planning.py    targets - holdings - working and unknown orders = intents
reconcile.py   what we believe against what the broker reports
snapshot.py    the engine's state as one message, and back
"""
