"""A TWS on the wire: socket protocol, market and account, so that real clients can trade without one.

protocol/  frames, the version-gated message tables, what clients ask and what the gateway says
orders/    the order desk: clients' orders into the matcher, its outcomes into messages and the ledger
accounts/  the accounts: ledger (the oracle of tests), margin, statements
data/      contracts, history, ticks and bars, scanner, pacing
runtime/   sessions, clients, clock, agenda, playback, connections, restarts, recordings
faults/    what goes wrong, when asked to: catalogue, scripts, seeds
server.py  SimulatedGateway, the door for Python
cli.py     the command `openbell gateway`
"""
