"""Tests of research.backtest and of the broker in bar mode; builders.py holds what they are made of."""
