"""Strategies: pure functions from a bar row to signals. They know no quantity, account or broker.

base.py      what every strategy is
state.py     a strategy's state as bytes and back, exactly
registry.py  from a name or a file path in config.toml to a strategy
Every other file is one strategy, loaded by its name.
"""
