"""Faults on demand (TWS.md 4): what a client must survive, at an instant, at a message, by chance or by hand.

fault.py               a row of the catalogue, and the three ways in which a fault comes about
catalogue.py           all 54, from the files by family:
connection_faults.py   the connection, restarts, the link to IB's servers, the clock
report_faults.py       how orders, executions and commissions are told
order_faults.py        orders refused, lost, held, filled against the rules
data_faults.py         bars, ticks, history, halts, splits
account_faults.py      positions and account values
site.py                what a fault may use
disturbed_market.py    the market, with prices that a fault can move
silences.py            when a stock was halted: its history leaves that out
messages.py            the names of messages
rule.py                when a fault happens and to whom
script.py              rules from a TOML file or from a run's log
seeded.py              rules from a seed: mild, rough, brutal
plan.py                what is to go wrong in a run
armed.py               a rule at work
happened.py            the log
switchboard.py         `gateway.faults`
"""
