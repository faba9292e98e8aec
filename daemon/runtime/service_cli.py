"""openbell service: systemd's units for this installation; shown, installed, removed, never enabled or started."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.runtime.cli import loaded

if TYPE_CHECKING:
    from daemon.runtime.service_units import Place

service_app = typer.Typer(help="systemd units: show, install, uninstall.", no_args_is_help=True)
_NAME = "^[a-z0-9_]{1,24}$"
LiveOption = Annotated[str, typer.Option("--live", metavar="NAME", help="The live account of live-NAME.toml.")]
UserOption = Annotated[bool, typer.Option("--user", help="For your own systemd instead of the machine's.")]
FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="Holds config.toml or live-NAME.toml; /etc/openbell if left out.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Needed where there is no terminal to ask on.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check and name everything, change nothing.")]


def register(app: typer.Typer) -> None:
    """Contribute the commands to the front door."""
    app.add_typer(service_app, name="service")


@service_app.command()
def show(live: LiveOption = "", user: UserOption = False, folder: FolderOption = None) -> None:
    """Every unit and drop-in that `install` would write, verified by systemd.

    Example: openbell service show --folder /etc/openbell
    """
    from daemon.runtime.service_install import verify
    from daemon.runtime.service_units import unit_texts

    place = _place(live, folder, user=user)
    texts = unit_texts(place, loaded(place.config))
    for name, text in texts.items():
        typer.echo(f"# ---- {name}\n{text}")
    verify(texts, of_user=user)


@service_app.command()
def install(
    live: LiveOption = "",
    user: UserOption = False,
    folder: FolderOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Verify the units, write them, have systemd read them. Enabling and starting stay yours.

    Example: openbell service install --live main --folder /etc/openbell
    """
    from daemon.runtime.service_install import check_config, units_folder, verify
    from daemon.runtime.service_install import install as put_in_place
    from daemon.runtime.service_units import unit_texts

    place = _place(live, folder, user=user)
    config = loaded(place.config)
    check_config(place, config)
    target, texts = units_folder(place), unit_texts(place, config)
    verify(texts, of_user=user)
    for name in texts:
        typer.echo(f"{target / name}")
    if dry_run:
        typer.echo("dry run: nothing was written")
        return
    _confirm("Write these files?", yes=yes)
    put_in_place(place, config, target)
    for line in next_steps(place):
        typer.echo(line)


@service_app.command()
def uninstall(
    live: LiveOption = "",
    user: UserOption = False,
    folder: FolderOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Remove the units, unless one is at work. Configuration, journal and logs stay.

    Example: openbell service uninstall --user
    """
    from daemon.runtime.service_install import uninstall as remove
    from daemon.runtime.service_install import units_folder

    place = _place(live, folder, user=user)
    target = units_folder(place)
    typer.echo(f"from {target}: {', '.join(place.units)}")
    if dry_run:
        typer.echo("dry run: nothing was removed")
        return
    _confirm("Remove these units?", yes=yes)
    for path in remove(place, target):
        typer.echo(f"{path}: removed")


def next_steps(place: Place) -> list[str]:
    """What stays with the operator, as lines to copy."""
    control = "systemctl --user" if place.of_user else "systemctl"
    if place.name:
        arm = f"{place.executable} arm --config {place.config}"
        as_owner = "setpriv --reuid openbell-live --regid openbell-live --init-groups"
        state = f"install -d -o openbell-live -g openbell-live -m 700 /var/lib/openbell-live-{place.name}"
        mine = [arm] if place.of_user else [state, f"{as_owner} {arm}"]
        return ["installed, neither enabled nor started; then:", *mine, f"{control} start {place.main_unit}"]
    timers = "openbell-open.timer openbell-nightly.timer"
    return ["installed, neither enabled nor started; then:", f"{control} enable --now openbell.service {timers}"]


def _place(live: str, folder: Path | None, *, user: bool) -> Place:
    import re

    from daemon.runtime.service_units import SHIPPED, Place
    from shared.errors import NotFound

    if live and not re.match(_NAME, live):
        raise typer.BadParameter(f"{live!r} must be 1 to 24 of a-z, 0-9 and _", param_hint="--live")
    executable = Path(sys.executable).parent / "openbell"  # not resolved: .venv/bin/python is a link out of it
    if not executable.is_file():
        raise NotFound(f"{executable}: not found, the unit must name an installed openbell")
    home = Path.home() / ".config" / "openbell" if user else Path("/etc/openbell")
    return Place(executable=executable, root=SHIPPED.parent, folder=(folder or home).resolve(), name=live, of_user=user)


def _confirm(question: str, *, yes: bool) -> None:
    from shared.errors import Refused

    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused("service: there is no terminal to ask on, --yes goes on without asking")
    if not typer.confirm(question, err=True):
        raise Refused("service: not confirmed, nothing was changed")
