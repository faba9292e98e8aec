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

    def rename(self, account: str, name: str) -> None:
        """The login comes back with another account id (fault 12); money and positions are the same."""
        self._ledgers[account].account = name
        self._ledgers = {ledger.account: ledger for ledger in self._ledgers.values()}


def check_account_ids(names: Iterable[str], *, allow_live_id: bool) -> None:
    """Raises ValueError: paper accounts begin with DU, live ones with U and only where that is allowed."""
    for name in names:
        is_paper, is_live = name[:2] == "DU" and name[2:].isdigit(), name[:1] == "U" and name[1:].isdigit()
        if not (is_paper or (is_live and allow_live_id)):
            live = "or U and digits" if allow_live_id else "U and digits only with --allow-live-id"
            raise ValueError(f"account {name!r}: allowed is DU and digits, {live}")
