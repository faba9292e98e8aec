"""Orders.

order.py     an order as the gateway keeps it
refusals.py  why an order is not taken, one row per rule
desk.py      orders into the matcher, outcomes into messages and the ledger
trading.py   answers to order requests
"""
