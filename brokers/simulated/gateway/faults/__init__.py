"""Faults on demand (TWS.md 4)."""
