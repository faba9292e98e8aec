"""Orders.

desk.py         the door: what clients, the market and the broker do to orders
order.py        an order as the gateway keeps it
book.py         all of them: by permId, and by client and order id
terms.py        what an order type needs, and how its prices are read
rules.py        why an order is not taken, one row per rule
refusals.py     the errors and their texts
placing.py      a new order's way in
modify.py       a change of a live one
cancelling.py   cancels and their races
preview.py      what if
binding.py      orders entered by hand, and client 0
outcomes.py     the matcher's outcomes into order, ledger and messages
reporting.py    what clients are told, and in which order
announcing.py   the warnings that accompany a new order
broker_acts.py  what the broker does of itself
conduct.py      how it behaves: the switches of the faults
settings.py     its habits
venue.py        hours, prices and calls later
persistence.py  the desk as plain values
trading.py      answers to order requests
"""
