"""The daemon's end of the local socket: who may write the file may command, one JSON line each way.

    {"verb": "halt", "scope": "account"}          at most 4 kB
    {"accepted": true, "reason": "", "state": "HALTED"}

The reply comes after the engine has handled the verb and the journal holds it.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import struct
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from daemon.control.switchboard import Switchboard
from daemon.control.verbs import Reply
from shared.config import Config
from shared.errors import ConfigError, Refused

SOCKET_NAME = "control.sock"
PATH_BYTES_MAX = 107
"""sun_path of unix(7) has 108 bytes, the last of them zero."""
LINE_BYTES_MAX = 4_096
_IDLE_S = 10.0
_PEERS_MAX = 16
_log = structlog.get_logger("openbell")


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person asks for."""

    verb: str
    scope: str = "account"


def socket_path(config: Config) -> Path:
    """Paper and live each have their own. Relative to config.toml's folder."""
    return config.base_dir / config.state_dir / config.mode / SOCKET_NAME


class ControlSocket:
    """Listens from `open` to `close`; `allowed_uids` are ourselves and root if left out."""

    def __init__(self, path: Path, switchboard: Switchboard, allowed_uids: frozenset[int] | None = None) -> None:
        self._path = path
        self._switchboard = switchboard
        self._allowed_uids = frozenset({os.geteuid(), 0}) if allowed_uids is None else allowed_uids
        self._listening: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._talks: dict[asyncio.Task[None], None] = {}

    def bind(self) -> None:
        """Take the file; it is ours alone (0600) from its first moment. Who connects waits for `open`.

        Raises:
            ConfigError: the path is too long for a socket or cannot be written.
            Refused: a daemon listens there already, or the file is none of ours.
        """
        _check_length(self._path)
        _clear_the_way(self._path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        mask = os.umask(0o177)
        try:
            listening.bind(str(self._path))
            listening.listen()
        except OSError as error:
            listening.close()
            raise ConfigError(f"{self._path}: no control socket can be made ({error.strerror})") from error
        finally:
            os.umask(mask)
        self._listening = listening

    async def open(self) -> None:
        """Answer. Raises what `bind` raises if that was not done before."""
        if self._listening is None:
            self.bind()
        self._server = await asyncio.start_unix_server(self._take, sock=self._listening, limit=LINE_BYTES_MAX)

    async def close(self) -> None:
        """Stop listening, hang up, and take the file away."""
        if self._listening is None:
            return
        if self._server is not None:
            self._server.close()
        self._listening.close()
        self._listening = self._server = None
        self._path.unlink(missing_ok=True)
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A task of our own: asyncio of Python 3.11 cannot bear that one of its own is cancelled, and says so aloud."""
        talk = asyncio.create_task(self._serve(reader, writer), name="control talk")
        self._talks[talk] = None
        talk.add_done_callback(lambda done: self._talks.pop(done, None))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (OSError, TimeoutError):
            pass  # the person has gone: what was asked for is done all the same
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        actor_uid = _peer_uid(writer)
        while True:
            try:
                async with asyncio.timeout(_IDLE_S):
                    line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                reason = f"more than {LINE_BYTES_MAX} bytes in a line"
                await _answer(writer, self._switchboard.refused(reason, _actor(actor_uid)))
                return
            await _answer(writer, await self._reply(line, actor_uid))

    async def _reply(self, line: bytes, uid: int) -> Reply:
        """Only after the line was read: a peer that is refused while it writes would not hear why."""
        actor = _actor(uid)
        if uid not in self._allowed_uids:
            return self._switchboard.refused(f"user {_user_name(uid)} may not command this daemon", actor)
        if len(self._talks) > _PEERS_MAX:
            return self._switchboard.refused(f"more than {_PEERS_MAX} talk at once, try again", actor)
        try:
            request = msgspec.json.decode(line, type=Request)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return self._switchboard.refused(f"not a request ({error}); expected {{verb, scope}}", actor)
        return await self._switchboard.obey(verb=request.verb, scope=request.scope, actor=actor)


async def _answer(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(msgspec.json.encode(reply, enc_hook=str) + b"\n")
    await writer.drain()


def _check_length(path: Path) -> None:
    length = len(os.fsencode(path))
    if length > PATH_BYTES_MAX:
        raise ConfigError(
            f"state_dir: {path} has {length} bytes, a socket's path may have {PATH_BYTES_MAX}; "
            "choose a shorter one or set control.enabled = false"
        )


def _clear_the_way(path: Path) -> None:
    """Make the folder, remove the socket of a daemon that has died."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path.parent}: cannot be made ({error.strerror})") from error
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_socket():
        raise Refused(f"{path}: is no socket, the control socket must stand there; move it away")
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(1)
        try:
            asking.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            _log.info("control.stale_socket_removed", path=str(path))
            return
        except OSError as error:
            raise Refused(f"{path}: cannot tell whether a daemon listens there ({error.strerror})") from error
    raise Refused(f"{path}: a living daemon listens there; end it first")


def _peer_uid(writer: asyncio.StreamWriter) -> int:
    """The user at the other end, as the kernel knows him (unix(7), SO_PEERCRED: pid, uid, gid)."""
    end = writer.get_extra_info("socket")
    credentials = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])


def _actor(uid: int) -> str:
    return f"local:{_user_name(uid)}"


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
