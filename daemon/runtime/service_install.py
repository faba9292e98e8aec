"""Puts systemd's units in place: verified first, each written wholly, then systemd reads them. Nothing is started."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from daemon.runtime.service_units import Place, unit_texts, written_folders
from shared.config import Config
from shared.errors import ConfigError, NotFound, Refused
from shared.io.whole_file import write_whole

SYSTEM_FOLDER = Path("/etc/systemd/system")
_COMMAND_S = 60


def units_folder(place: Place, environ: Mapping[str, str] = os.environ) -> Path:
    """Where an administrator's units lie, or a user's own."""
    if not place.of_user:
        return SYSTEM_FOLDER
    return Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def check_config(place: Place, config: Config) -> None:
    """Refuse a configuration of the other mode, and paths that the unit could not see or write.

    Raises:
        ConfigError: naming the file and what it must say.
    """
    wanted = "live" if place.name else "paper"
    if config.mode != wanted:
        raise ConfigError(f'{place.config}: mode is "{config.mode}", {place.main_unit} needs "{wanted}"')
    for path in (place.config, place.executable, place.executable.with_name("python").resolve()):
        if hiding := next((root for root in _hidden_roots(place) if path.is_relative_to(root)), None):
            raise ConfigError(
                f"{path}: the unit does not see {hiding}; install openbell and its Python in /opt/openbell"
            )
    missing = [folder for folder in written_folders(place, config) if not folder.is_dir()]
    if missing and not place.of_user:
        owner = "openbell-live" if place.name else "openbell"
        raise ConfigError(
            f"{missing[0]}: is not there, and {place.main_unit} may not make it; make it for the user {owner}, or let "
            f'state_dir and log_dir be "/var/lib/{_own_folder(place)}" and "/var/log/{_own_folder(place)}"'
        )


def verify(texts: Mapping[str, str], *, of_user: bool) -> None:
    """Let systemd read the units before anybody else does.

    Raises:
        Refused: with whatever systemd-analyze said; it warns of a mistyped key with exit code 0.
    """
    with tempfile.TemporaryDirectory(prefix="openbell-units-") as folder:
        _write(texts, Path(folder))
        units = [f"{Path(folder) / name}" for name in texts if "/" not in name]
        manager = ["--user"] if of_user else []
        said = _systemd("systemd-analyze", "verify", *manager, *units)
    if said:
        raise Refused("\n".join(f"systemd-analyze verify: {line.replace(folder + '/', '')}" for line in said))


def install(place: Place, config: Config, target: Path) -> list[Path]:
    """Write every unit and drop-in into `target`, then have systemd read them; the files written.

    Raises:
        Refused: a file cannot be written, or systemd says no to the reload; each file is whole all the same.
    """
    texts = unit_texts(place, config)
    verify(texts, of_user=place.of_user)
    try:
        if place.of_user:
            for folder in written_folders(place, config):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = _write(texts, target)
    except OSError as error:
        raise Refused(f"{error.filename or target}: cannot be written ({error.strerror}); are you root?") from None
    reload(place)
    return written


def uninstall(place: Place, target: Path) -> list[Path]:
    """Remove what `install` wrote; the files removed.

    Raises:
        Refused: one of the units is at work; nothing is removed then.
        NotFound: none of them is there.
    """
    files = [path for name in place.units for path in _files_of(target, name)]
    if not files:
        raise NotFound(f"{target}: holds none of {', '.join(place.units)}")
    patterns = [name.replace("@.", "@*.") for name in place.units]
    states = "--state=active,activating,reloading,deactivating"
    active = _systemctl(place, "list-units", "--plain", "--no-legend", states, *patterns)
    if active:
        names = ", ".join(line.split()[0] for line in active)
        raise Refused(f"{names}: at work; stop and disable first, then uninstall")
    for path in files:
        path.unlink()
        if path.parent != target and not any(path.parent.iterdir()):
            path.parent.rmdir()
    reload(place)
    return files


def reload(place: Place) -> None:
    """Have systemd read the units anew; raises Refused with its words."""
    said = _systemctl(place, "daemon-reload")
    if said:
        raise Refused(f"systemctl daemon-reload: {' '.join(said)}")


def _hidden_roots(place: Place) -> list[str]:
    """What PrivateTmp= and ProtectHome= hide; a user's own unit sees homes."""
    return ["/tmp", "/var/tmp", *([] if place.of_user else ["/home", "/root"])]  # noqa: S108 - named to be refused


def _own_folder(place: Place) -> str:
    return f"openbell-live-{place.name}" if place.name else "openbell"


def _files_of(target: Path, name: str) -> list[Path]:
    stem, _, kind = name.partition("@.")
    pattern = f"{stem}@*.{kind}" if kind else name
    drop_ins = [f"{pattern}.d/{conf}" for conf in ("10-install.conf", "20-user.conf")]
    return [path for each in (name, *drop_ins) for path in sorted(target.glob(each))]


def _write(texts: Mapping[str, str], target: Path) -> list[Path]:
    for name, text in texts.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(target / name, text)
    return [target / name for name in texts]


def _systemctl(place: Place, *arguments: str) -> list[str]:
    return _systemd("systemctl", *(["--user"] if place.of_user else []), "--no-pager", *arguments)


def _systemd(program: str, *arguments: str) -> list[str]:
    """The lines one of systemd's programs said, on whichever stream."""
    found = shutil.which(program)
    if found is None:
        raise NotFound(f"{program}: not found, this machine has no systemd")
    try:
        ended = subprocess.run(  # noqa: S603 - our own arguments, no shell
            [found, *arguments],
            capture_output=True,
            text=True,
            timeout=_COMMAND_S,
            check=False,
            env={"XDG_RUNTIME_DIR": tempfile.gettempdir(), **os.environ},  # `verify --user` asks for it, to no end
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"{program}: no answer within {_COMMAND_S} s") from None
    lines = [line for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
    return lines or ([f"{program} ended with {ended.returncode}"] if ended.returncode else [])
