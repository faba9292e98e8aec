"""The text of systemd's units for this installation: the shipped ones with its paths, and drop-ins for its config.toml.

Pure text; service_install.py has them verified and puts them in place.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from shared.config import Config
from shared.errors import NotFound

SHIPPED = Path(__file__).resolve().parents[2] / "systemd"
_SHIPPED_ROOT = "/opt/openbell"
_SHIPPED_FOLDER = "/etc/openbell"
PAPER_UNITS = (
    "openbell.service",
    "openbell-alert@.service",
    "openbell-open.service",
    "openbell-open.timer",
    "openbell-nightly.service",
    "openbell-nightly.timer",
)
LIVE_UNITS = (
    "openbell-live@.service",
    "openbell-live-alert@.service",
    "openbell-live-nightly@.service",
    "openbell-live-nightly@.timer",
    "openbell-live-nightly-alert@.service",
)
_USER_DROP_IN = "user.conf"
_ASKS_THE_CALENDAR_ONLY = "openbell-open.service"
_TELL_THE_DIGEST = ("openbell-nightly", "openbell-live-nightly@")


class Place(Struct, frozen=True, kw_only=True):
    """Where this installation is and for whom: `name` is the live account's, empty for paper."""

    executable: Path
    root: Path
    folder: Path
    name: str = ""
    of_user: bool = False

    @property
    def config(self) -> Path:
        return self.folder / (f"live-{self.name}.toml" if self.name else "config.toml")

    @property
    def units(self) -> tuple[str, ...]:
        return LIVE_UNITS if self.name else PAPER_UNITS

    @property
    def main_unit(self) -> str:
        return f"openbell-live@{self.name}.service" if self.name else "openbell.service"


def unit_texts(place: Place, config: Config) -> dict[str, str]:
    """Path under systemd's folder -> text, for every unit of the set and every drop-in it needs."""
    texts = {name: with_paths(_shipped(name), place) for name in place.units}
    for name in place.units:
        if not name.endswith(".service"):
            continue
        instance = name.replace("@.", f"@{place.name}.") if place.name else name
        if lines := drop_in_lines(instance, place, config):
            texts[f"{instance}.d/10-install.conf"] = "\n".join(["[Service]", *lines]) + "\n"
        if place.of_user:
            texts[f"{name}.d/20-user.conf"] = _shipped(_USER_DROP_IN)
            texts[name] = texts[name].replace("WantedBy=multi-user.target", "WantedBy=default.target")
    return texts


def with_paths(text: str, place: Place) -> str:
    """A shipped unit with this installation's paths in the place of /opt/openbell and /etc/openbell."""
    return (
        text.replace(f"{_SHIPPED_ROOT}/.venv/bin/openbell", _quoted(place.executable))
        .replace(f"{_SHIPPED_ROOT}/", f"{_quoted(place.root)}/")
        .replace(f"WorkingDirectory={_SHIPPED_ROOT}\n", f"WorkingDirectory={_quoted(place.root)}\n")
        .replace(f"{_SHIPPED_FOLDER}/", f"{_quoted(place.folder)}/")
    )


def drop_in_lines(unit: str, place: Place, config: Config) -> list[str]:
    """What only the configuration knows: folders it writes outside systemd's own, credentials its channels need."""
    if unit == _ASKS_THE_CALENDAR_ONLY:
        return []
    lines = [f"ReadWritePaths={_quoted(folder)}" for folder in written_folders(place, config)]
    if place.of_user:
        return lines
    prefix = f"openbell-live-{place.name}" if place.name else "openbell"
    known = _shipped(unit.replace(f"@{place.name}.", "@.") if place.name else unit)
    secrets = sorted({channel.secret for channel in config.alert_channels if channel.secret})
    needed = [f"LoadCredentialEncrypted={name}:{prefix}.{name}" for name in secrets]
    talks = "alert" in unit or unit == place.main_unit or unit.startswith(_TELL_THE_DIGEST)
    return lines + [line for line in needed if talks and f"={line.split('=')[1].split(':')[0]}:" not in known]


def written_folders(place: Place, config: Config) -> list[Path]:
    """state_dir and log_dir, as far as they are not what StateDirectory= and LogsDirectory= make."""
    suffix = f"openbell-live-{place.name}" if place.name else "openbell"
    made = [] if place.of_user else [Path("/var/lib") / suffix, Path("/var/log") / suffix]
    named = ((place.folder / folder).resolve() for folder in (config.state_dir, config.log_dir))
    return sorted({folder for folder in named if not any(folder.is_relative_to(root) for root in made)})


def _shipped(name: str) -> str:
    path = SHIPPED / name
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise NotFound(f"{path}: cannot be read ({error.strerror}); services are installed from a checkout") from None


def _quoted(path: Path) -> str:
    """As systemd.syntax(7) reads it: % doubled; blanks would need quotes, which not every setting takes."""
    text = f"{path}".replace("%", "%%")
    if any(character.isspace() or character in "\"'\\" for character in text):
        raise NotFound(f"{path}: a unit cannot name a path with blanks or quotes, move it")
    return text
