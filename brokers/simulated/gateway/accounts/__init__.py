"""Accounts.

ledger.py       PURE: cash, positions, profit, and the record of everything that happened
ledger_file.py  that record as JSON lines
statements.py   answers about account, positions and executions
"""
