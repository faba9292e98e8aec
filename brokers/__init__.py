"""Brokers behind one protocol.

port.py     the Broker protocol: what the daemon asks of any broker
ib/         Interactive Brokers; the only place that imports ib_insync
simulated/  our own matching engine and a TWS on the wire
"""
