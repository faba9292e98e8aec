"""The deciding core: pure, deterministic, without clock, chance, logging or IO.

engine.py      one match statement over all events: the table of contents of the system
book.py        what we believe: positions, orders, prices, account; beliefs.py its fields, which are the snapshot;
               book_index.py where in it a thing is found, and what is at rest;
               plan_shares.py how many of a plan's shares may be sold
order_life.py  the order states and the table of allowed transitions
planning.py    targets - holdings - working and unknown orders = intents
legs.py        the live orders of one plan, counted in one pass
protection.py  every open share has a resting stop; doubts.py the wait for its word, and what a person is told
truth.py       a report of the broker, in this order: executions, orders, positions, money, and are we reconciled
executions.py  one execution, live, recovered, corrected, busted; what it cost; liquidations.py those by the broker
reconcile.py   orders of the report against the book; lost, doubled and rebuilt ones
position_breaks.py  positions of the report against the book; locks.py what follows, discrepancy.py how it is told
settler.py     when a break is settled; settlement.py the fills that do it; corporate_action.py splits,
               split_shares.py what executions of before them are since
prices.py      the last prices and which are believed; price_screen.py the kernel of that
rest.py        whether the next rows can lead to nothing, and taking in those that did (the replay sleeps by it)
day_loss.py    what the session's plans have lost, for the automatic limits of watch.py
account_ledger.py, money.py  what cash and net liquidation should be, and the alarm if they are not
operator.py    the verbs of a person; day_plan.py what the session's plan forbids, tightens and expects
snapshot.py    the engine's state as one message, and back
"""
