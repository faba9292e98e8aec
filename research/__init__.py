"""Offline work: nothing here runs in the live process.

backtest/  the same engine, strategies and risk code, replayed over stored bars
"""
