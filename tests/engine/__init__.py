"""The engine's tests: given these events, then exactly these commands and beliefs.

builders.py          what they are made of: a started engine, rows, fills, reports
test_order_life.py   the table of order life against docs/orders.md
test_book.py         executions, commissions, plans and numbers: booked once
test_prices.py       which prints are believed, also in AAPL's real split
test_reconcile.py    the broker's report against the book
test_connection.py   loss, reconnect, cancels that go unheard, a new process
test_recovery.py     snapshot and restore, at any point of any day
test_truth_*.py      what a report leads to: orders, executions, locks, settlement, foreign, splits, money, rebuilding
test_operator.py     the verbs of a person
"""
