"""The people around the daemon: who commands it, and what reaches them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from daemon.alerts.channels import Channel
from daemon.alerts.message import Message
from daemon.control.control_socket import SOCKET_NAME
from shared.config import Config
from tests.simulation.history import Alerted, OperatorAsked
from tests.simulation.plan import Operator
from tests.simulation.world.channel import CatchingChannel
from tests.simulation.world.lines import Lines
from tests.simulation.world.recorder import Recorder

_ANSWER_S = 20.0


class People:
    """One person with a pager and a hand on the control socket."""

    def __init__(self, recorder: Recorder, lines: Lines) -> None:
        self.pager = CatchingChannel(hear=self._hear)
        self._recorder, self._lines = recorder, lines
        self._asking: dict[asyncio.Task[None], None] = {}

    def channels(self, config: Config) -> Sequence[Channel]:
        """The pager, in the place of the channels the configuration names."""
        return self.pager.channels(config)

    def _hear(self, message: Message) -> None:
        self._lines.search("an alert", f"{message.title} {message.text}")
        recorder = self._recorder
        recorder.add(
            Alerted(
                at=recorder.now(),
                process=recorder.process,
                channel=self.pager.name,
                severity=message.severity.value,
                code=message.code,
                text=message.text,
            )
        )

    # ------------------------------------------------------------------ commands

    def command(self, order: Operator, state: Path) -> None:
        """Ask for it at the socket in `state`; the answer is written down when it comes."""
        task = asyncio.get_running_loop().create_task(self._ask(order, state), name="operator")
        self._asking[task] = None
        task.add_done_callback(lambda done: self._asking.pop(done, None))

    async def _ask(self, order: Operator, state: Path) -> None:
        path = str(state / SOCKET_NAME)
        process, reply = self._recorder.process, ""
        try:
            async with asyncio.timeout(_ANSWER_S):
                reader, writer = await asyncio.open_unix_connection(path)
                writer.write(json.dumps({"verb": order.verb, "scope": order.scope}).encode() + b"\n")
                reply = (await reader.readline()).decode().strip()
                writer.close()
        except (OSError, TimeoutError):
            pass  # nobody listens: the person sees that, too
        recorder = self._recorder
        recorder.add(OperatorAsked(at=recorder.now(), process=process, verb=order.verb, scope=order.scope, reply=reply))
