"""Figures for Prometheus, on loopback only; off unless [metrics] names a port.

figures.py    every figure, filled from heartbeats and from what the loop has made durable
exporter.py   GET /metrics on 127.0.0.1
docs/grafana/ holds a board and alert rules over these names
"""
