"""openbell rescue list | cancel | flatten: when the daemon is dead or hangs, and with an empty disk."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from daemon.runtime.cli import DEFAULT_CONFIG, EXIT_FAILED, ConfigOption, JsonOption, loaded

if TYPE_CHECKING:
    from daemon.control.rescue import Outcome, Rescue
    from shared.config import Config
    from shared.events import BrokerReported
    from shared.orders import OpenOrder

Answer = TypeVar("Answer")
_ID_HELP = (
    "Connect under this client id. Left out: the daemon's own while it is dead, that + 100 while it lives. 0 also sees "
    "and may cancel orders made by hand in TWS; the master id sees all and may cancel only its own."
)
ClientIdOption = Annotated[int | None, typer.Option("--client-id", min=0, max=2_147_000_000, help=_ID_HELP)]
LiveOption = Annotated[bool, typer.Option("--live", help="One of the three keys of a live account.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask; needed where nobody can be asked.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, send nothing.")]
AllOption = Annotated[
    bool, typer.Option("--all", help="Every order of the account in one message: protection and orders by hand too.")
]


def rescue_app() -> typer.Typer:
    """The group of commands."""
    app = typer.Typer(
        help="List, cancel or flatten straight at the broker, without the daemon and without its journal.",
        no_args_is_help=True,
    )
    app.command("list")(list_all)
    app.command()(cancel)
    app.command()(flatten)
    return app


def list_all(
    client_id: ClientIdOption = None,
    live: LiveOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Positions with the stops that protect them, open orders of every client, executions.

    Example: openbell rescue list --config config.toml
    """
    from daemon.control.rescue_view import facts_of, screen

    report = _with_rescue(loaded(config), client_id, lambda rescue: rescue.look(), live=live)
    if as_json:
        _say_json("list", **facts_of(report))
        return
    for line in screen(report):
        typer.echo(_clean(line))


def cancel(  # noqa: PLR0913, PLR0917 - one name per option
    entries: Annotated[bool, typer.Option("--entries", help="Our orders that open positions.")] = False,
    everything: AllOption = False,
    ref: Annotated[str, typer.Option("--ref", help="One order, by its reference.")] = "",
    client_id: ClientIdOption = None,
    live: LiveOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Cancel open orders and wait until they are gone. Exit code 1 if some still work.

    Example: openbell rescue cancel --entries --yes
    """
    from daemon.control.rescue import Outcome

    if (entries, everything, bool(ref)).count(True) != 1:
        raise typer.BadParameter("name one of --entries, --all, --ref", param_hint="rescue cancel")
    settings = loaded(config)

    async def work(rescue: Rescue) -> Outcome:
        chosen = _chosen(await rescue.look(), entries=entries, ref=ref)
        if dry_run or not chosen:
            return Outcome(asked=tuple(_cancel_line(order) for order in chosen))
        _confirm("cancel", settings, what=f"{len(chosen)} orders", is_sure=yes)
        return await rescue.cancel(chosen, everything=everything)

    outcome = _with_rescue(settings, client_id, work, live=live)
    _report("cancel", outcome, is_dry=dry_run, as_json=as_json)


def flatten(  # noqa: PLR0913, PLR0917 - one name per option
    symbol: Annotated[list[str] | None, typer.Option("--symbol", help="This instrument; may be repeated.")] = None,
    everything: AllOption = False,
    client_id: ClientIdOption = None,
    live: LiveOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Cancel what works in the instruments, then close what is held at the market. Exit code 1 if not all is flat.

    Example: openbell rescue flatten --symbol SPY --yes
    """
    from daemon.control.rescue import Outcome, described_exit
    from daemon.control.rescue_plan import exits_of, orders_in
    from daemon.runtime.clock import wall_now

    settings = loaded(config)
    wanted = tuple(symbol or ())

    async def work(rescue: Rescue) -> Outcome:
        report = await rescue.look()
        symbols = wanted or _known_symbols(report, settings)
        orders = report.open_orders if everything else orders_in(report, symbols)
        exits = [order for each in symbols for order in exits_of(report, each, wall_now())]
        if dry_run or not (orders or exits):
            pulled = [_cancel_line(order) for order in orders]
            return Outcome(asked=(*pulled, *(described_exit(order) for order in exits)))
        _confirm("flatten", settings, what=", ".join(symbols), is_sure=yes)
        return await rescue.flatten(symbols, everything=everything)

    outcome = _with_rescue(settings, client_id, work, live=live, extra_symbols=wanted)
    _report("flatten", outcome, is_dry=dry_run, as_json=as_json)


def _with_rescue(
    settings: Config,
    client_id: int | None,
    work: Callable[[Rescue], Awaitable[Answer]],
    *,
    live: bool,
    extra_symbols: Sequence[str] = (),
) -> Answer:
    """Connect, let `work` work, leave."""
    import asyncio

    from daemon.control.rescue import chosen_ids, connected

    _speak_to_stderr(settings)
    ids = chosen_ids(settings, client_id)
    alive = f"a daemon lives ({ids.daemon}); " if ids.daemon else ""
    typer.echo(f"{alive}connecting as client id {ids.orders}", err=True)

    async def run() -> Answer:
        async with connected(settings, ids, live_flag=live, extra_symbols=extra_symbols) as rescue:
            return await work(rescue)

    return asyncio.run(run())


def _chosen(report: BrokerReported, *, entries: bool, ref: str) -> list[OpenOrder]:
    from daemon.control.rescue_plan import entries_of
    from shared.errors import NotFound

    if entries:
        return entries_of(report)
    chosen = [order for order in report.open_orders if not ref or order.ref == ref]
    if ref and not chosen:
        open_refs = ", ".join(order.ref for order in report.open_orders if order.ref) or "none"
        raise NotFound(f"--ref {ref}: no such open order, there are: {open_refs}")
    return chosen


def _known_symbols(report: BrokerReported, settings: Config) -> tuple[str, ...]:
    """The universe's instruments with a position or an order; others are named, not touched."""
    seen = [*(held.symbol for held in report.positions if held.quantity), *(each.symbol for each in report.open_orders)]
    foreign = [symbol for symbol in dict.fromkeys(seen) if symbol not in settings.universe.symbols]
    for symbol in foreign:
        typer.echo(f"{symbol}: is not in the universe and stays; name it with --symbol to touch it", err=True)
    return tuple(symbol for symbol in dict.fromkeys(seen) if symbol in settings.universe.symbols)


def _confirm(verb: str, settings: Config, *, what: str, is_sure: bool) -> None:
    from shared.errors import Refused

    if is_sure:
        return
    if not sys.stdin.isatty():
        raise Refused(f"rescue {verb}: nobody can be asked here (stdin is no terminal), add --yes or --dry-run")
    word = verb if settings.mode == "paper" else f"{verb} {settings.mode}"
    typed = typer.prompt(f"{settings.mode.upper()}: type '{word}' for {what}", default="", show_default=False, err=True)
    if typed.strip() != word:
        raise Refused(f"rescue {verb}: not confirmed, nothing was sent")


def _report(verb: str, outcome: Outcome, *, is_dry: bool, as_json: bool) -> None:
    if as_json:
        from msgspec import to_builtins

        _say_json(verb, dry_run=is_dry, done=outcome.is_done, **to_builtins(outcome))
    else:
        head = "would be sent" if is_dry else "sent"
        for line in outcome.asked or ("nothing",):
            typer.echo(_clean(f"{head}: {line}"))
        for line in outcome.left:
            typer.echo(_clean(f"STILL THERE: {line}"))
        for line in outcome.complaints:
            typer.echo(_clean(f"the broker says: {line}"), err=True)
    raise typer.Exit(0 if outcome.is_done else EXIT_FAILED)


def _cancel_line(order: OpenOrder) -> str:
    from daemon.control.rescue_view import order_line

    return f"cancel {order_line(order)}"


def _say_json(verb: str, **facts: object) -> None:
    from daemon.runtime.json_output import json_line

    typer.echo(_clean(json_line("rescue", {"verb": verb, **facts})))


def _clean(text: str) -> str:
    from shared.io.redaction import cleaned_text

    return cleaned_text(text)


def _speak_to_stderr(settings: Config) -> None:
    """Warnings on stderr, redacted; no log file, whose disk may be what is wrong."""
    import logging

    import structlog

    from shared.io.logging import hide
    from shared.io.redaction import redact

    hide(settings.account)
    structlog.configure(
        processors=[redact, structlog.processors.KeyValueRenderer(key_order=["event"])],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
