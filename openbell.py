"""The front door: one command line, to which each package contributes its commands.

Nothing heavy is imported here: `openbell --help` answers in under 300 ms. Every error Openbell raises on
purpose ends as one line on stderr and the exit code of whoever must act on it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from shared.errors import (
    BrokerUnavailable,
    ConfigError,
    DataError,
    InvariantViolated,
    NotFound,
    OpenbellError,
    Refused,
)

if TYPE_CHECKING:
    from shared.config import Config

EXIT_CODES: dict[type[OpenbellError], int] = {
    DataError: 1,
    InvariantViolated: 1,
    NotFound: 3,
    Refused: 4,
    BrokerUnavailable: 5,
    ConfigError: 78,
}
INTERRUPTED = 130
CONTRIBUTORS = (
    "daemon.runtime.cli",
    "daemon.runtime.init_cli",
    "daemon.runtime.arm_cli",
    "daemon.runtime.service_cli",
    "daemon.runtime.session_cli",
    "daemon.runtime.config_cli",
    "daemon.runtime.holdings_cli",
    "daemon.runtime.journal_cli",
    "daemon.control.cli",
    "daemon.doctor.cli",
    "daemon.alerts.cli",
    "brokers.simulated.gateway.cli",
    "research.backtest.cli",
    "research.measures.cli",
    "research.lookahead.cli",
    "research.experiments.cli",
    "research.ingest.cli",
    "research.ingest.universe.cli",
    "research.features.cli",
)
ROOT = Path(__file__).resolve().parent
IN_A_CHECKOUT = "tests.simulation.cli"
"""A command whose package is in no wheel: the front door does without it there."""


def build_app() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="openbell",
        help="Event-driven live trading daemon for Interactive Brokers, with its own gateway and replay.",
        epilog="Start with: openbell demo",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help: half as long to appear
    )
    for name in (*CONTRIBUTORS, *_of_the_checkout()):
        import_module(name).register(app)
    import_module("research.nightly.cli").register(app, tell=_tell_nightly)
    return app


def _tell_nightly(config: Config, line: str) -> str:
    """Research may not reach the ways to a person; they are handed to it here."""
    from daemon.alerts.cli import tell_nightly

    return tell_nightly(config, line)


def _of_the_checkout() -> list[str]:
    """The command that only a checkout has; there its `tests` come before those that some package left installed."""
    if not ROOT.joinpath(*IN_A_CHECKOUT.split(".")).with_suffix(".py").is_file():
        return []
    if sys.path[0] != str(ROOT):
        sys.path.insert(0, str(ROOT))
    return [IN_A_CHECKOUT]


def main() -> int:
    """Run the command of sys.argv; the process's exit code."""
    try:
        build_app()()
    except OpenbellError as error:
        print(error, file=sys.stderr)
        return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
