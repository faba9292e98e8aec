"""A TWS on the wire: socket protocol, market and account, so that real clients can trade without one.

wire.py         frames, fields, the tolerant reader and the exact writer
layout.py       what a message table is: encoder, decoder and documentation in one
layouts.py      the tables of server version 176
requests.py     what clients ask, one struct per message
times.py        instants, durations and bar sizes as clients write them
answers.py      what the gateway says, one function per message
listing.py      the stocks of the market and how clients may name them
refusals.py     why an order is not taken, one row per rule
order.py        an order as the gateway keeps it
desk.py         orders into the matcher, outcomes into messages and the ledger
ledger.py       PURE: cash, positions, profit, and the record of everything that happened
ledger_file.py  that record as JSON lines
clock.py        market time, real, accelerated or moved by hand
session.py      one session: market, clock, ledger, desk and clients
playback.py     plays the market's steps along the clock
accounts.py     answers about account, positions and executions
trading.py      answers to order requests
marketdata.py   answers about contracts, history, ticks and bars
dispatch.py     which function answers which request, and what the rest gets
client.py       one connected client and its subscriptions
server.py       SimulatedGateway: accept, handshake, serve
cli.py          the command `openbell gateway`
"""
