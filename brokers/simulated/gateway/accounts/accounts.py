"""The accounts of a login: one or more ledgers, the first of them the default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from brokers.simulated.gateway.accounts.ledger import Ledger


class Accounts:
    """Ledgers by account id, in the order in which managedAccounts names them."""

    def __init__(self, ledgers: Iterable[Ledger]) -> None:
        self._ledgers = {ledger.account: ledger for ledger in ledgers}
        assert self._ledgers, "a login has at least one account"

    @property
    def default(self) -> Ledger:
        return next(iter(self._ledgers.values()))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._ledgers)

    def __iter__(self) -> Iterator[Ledger]:
        return iter(self._ledgers.values())

    def __getitem__(self, account: str) -> Ledger:
        return self._ledgers[account]

    def find(self, account: str) -> Ledger | None:
        """The ledger a request means: an empty name means the only account; None where TWS would refuse."""
        if not account and len(self._ledgers) == 1:
            return self.default
        return self._ledgers.get(account)
