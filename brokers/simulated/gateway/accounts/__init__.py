"""Accounts.

accounts.py          the accounts of a login
ledger.py            PURE: one account's cash, positions, margin, profit; the oracle of the tests
position.py          PURE: one holding
records.py           everything that can happen, as frozen records
locates.py           shares to borrow
ledger_file.py       the records as JSON lines
values.py            the account values a TWS reports, and who has been told which
account_refusals.py  what a request gets that names no account of ours
statements.py        answers about positions and the connection itself
account_values.py    answers about account values
profit.py            answers about profit and loss
executions.py        answers about what was filled
"""
