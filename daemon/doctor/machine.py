"""What this machine offers: folders, disk, memory, journal, secrets, compiled kernels, systemd. Only looks."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

from msgspec import Struct

from daemon.runtime.clock import wall_now
from daemon.runtime.config_check import calendar_faults, strategy_faults
from daemon.runtime.lifecycle import log_path
from shared.config import Config
from shared.errors import ConfigError, NotFound, OpenbellError
from shared.io.journal import JournalReader, writer_of
from shared.io.journal_place import journal_place
from shared.io.secrets import read_secret
from shared.sessions import LAST_DAY

_KERNELS = Path(__file__).resolve().parents[2] / "shared" / "indicators"
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "glusterfs", "ceph"})


class MachineFacts(Struct, frozen=True, kw_only=True):
    """What was found. Texts say what is wrong and are empty where nothing is; sizes in bytes."""

    config: Config
    today: date
    strategies: str
    calendar: str
    calendar_ends: date
    state_folder: Path
    state_dir: str
    log_dir: str
    disk_free: int
    network_file_system: str
    journal: str
    journal_exists: bool
    writer: int | None
    secrets_wrong: tuple[str, ...]
    secrets_missing: tuple[str, ...]
    kernel_cache: str
    memory_available: int
    has_systemd: bool


def look(config: Config) -> MachineFacts:
    """Everything that needs no network."""
    now = wall_now()
    state_folder = config.base_dir / config.state_dir / config.mode
    journal, exists, writer = _journal(config)
    wrong, missing = _secrets(config)
    return MachineFacts(
        config=config,
        today=now.date(),
        strategies="; ".join(fault for strategy in config.strategies for fault in strategy_faults(config, strategy)),
        calendar="; ".join(calendar_faults(config, now)),
        calendar_ends=LAST_DAY,
        state_folder=state_folder,
        state_dir=_not_writable(state_folder),
        log_dir=_not_writable(log_path(config).parent),
        disk_free=shutil.disk_usage(_existing(state_folder)).free,
        network_file_system=_network_file_system(_existing(state_folder)),
        journal=journal,
        journal_exists=exists,
        writer=writer,
        secrets_wrong=wrong,
        secrets_missing=missing,
        kernel_cache=_kernel_cache(),
        memory_available=_memory_available(),
        has_systemd=shutil.which("systemctl") is not None,
    )


def secret_names(config: Config) -> list[str]:
    """The secrets that this configuration cannot do without."""
    mqtt = config.mqtt
    wanted = {
        mqtt.password_secret: mqtt.enabled and bool(mqtt.username),
        mqtt.command_key_secret: mqtt.enabled and mqtt.commands,
        **{channel.secret: True for channel in config.alert_channels if channel.secret},
    }
    return [name for name, is_needed in wanted.items() if is_needed]


def _journal(config: Config) -> tuple[str, bool, int | None]:
    """What is wrong with the journal, whether there is one, and who writes it."""
    try:
        place = journal_place(config)
        with JournalReader.open(place) as journal:
            faults = journal.storage_faults()
            modes = sorted({run.mode for run in journal.runs()} - {config.mode})
            journal.last_seq()
        wrong = faults[0] if faults else f"holds {modes[0]} runs, mode is {config.mode}" if modes else ""
        return wrong, True, writer_of(place)
    except NotFound:
        return "", False, None
    except OpenbellError as error:
        return str(error), True, None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there and may be looked into."""
    folder = folder.absolute()
    while not os.path.isdir(folder) and folder != folder.parent:  # noqa: PTH112 - Path.is_dir raises where we may not look
        folder = folder.parent
    return folder


def _not_writable(folder: Path) -> str:
    """Try it: permission bits say nothing about read-only mounts, quotas and hardened units."""
    try:
        blocker = next((each for each in (folder, *folder.parents) if each.exists() and not each.is_dir()), None)
        if blocker is not None:
            return f"{blocker} is not a folder"
        trial = _existing(folder) / f".openbell-doctor-{os.getpid()}"
        trial.write_bytes(b"x")
        trial.unlink()
    except OSError as error:
        return f"{folder}: {error.strerror}"
    return ""


def _network_file_system(folder: Path) -> str:
    """The kind of the mount the folder stands on, if SQLite's locks cannot be trusted there."""
    best, kind = "", ""
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines():
        _, point, of, *_ = line.split(" ")
        if folder.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, of
    return kind if kind in _NETWORK else ""


def _secrets(config: Config) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The secrets that cannot be used, each in one line, and the names of those that are nowhere."""
    wrong, missing = [], []
    for name in secret_names(config):
        try:
            if not read_secret(name, config.base_dir):
                missing.append(name)
        except ConfigError as error:
            wrong.append(str(error))
    return tuple(wrong), tuple(missing)


def _kernel_cache() -> str:
    given = os.environ.get("NUMBA_CACHE_DIR")
    return _not_writable(Path(given) if given else _KERNELS / "__pycache__")


def _memory_available() -> int:
    """proc(5): MemAvailable, in kB there."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
