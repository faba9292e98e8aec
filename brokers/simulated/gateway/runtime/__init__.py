"""What runs.

clock.py     market time, real, accelerated or moved by hand
agenda.py    what is to happen at an instant of market time
session.py   one session: market, clock, ledger, desk and clients
playback.py  plays the market's steps along the clock
dispatch.py  which function answers which request, and what the rest gets
client.py    one connected client and its subscriptions
"""
