"""Errors sorted by who must act on them."""

from __future__ import annotations


class OpenbellError(Exception):
    """Base of every error Openbell raises on purpose; its text is one clear line."""


class ConfigError(OpenbellError):
    """The operator must change the configuration; exit code 78. `faults` holds one line per fault."""

    def __init__(self, faults: str | list[str]) -> None:
        self.faults = [faults] if isinstance(faults, str) else faults
        super().__init__("\n".join(self.faults))


class BrokerUnavailable(OpenbellError):  # noqa: N818 - the field says what is the case, not that it is an error
    """Nobody answers, or not in time: wait and try again. Never read as 'nothing there'."""


class ClientIdTaken(BrokerUnavailable):
    """Somebody is connected under the client id, or TWS has not noticed yet that he is gone (326)."""


class DataError(OpenbellError):
    """A data file or a message is wrong: skip it and report, naming file, row, value and what is allowed."""


class InvariantViolated(OpenbellError):  # noqa: N818 - DESIGN.md names it so
    """Something that cannot be: stop, restart, recover."""


class NotFound(OpenbellError):  # noqa: N818 - as above
    """What was asked for does not exist: name it and say what does; exit code 3."""


class Refused(OpenbellError):  # noqa: N818 - as above
    """Safety says no (a journal in use, damaged, or of the other mode): the operator decides; exit code 4."""
