"""A verb, from whichever line it came: checked, carried out, answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import structlog

from daemon.control.gate import ControlGate
from daemon.control.verbs import VERBS, Order, Reply, ScopeFault, shown
from shared.errors import Refused
from shared.events import OperatorCommanded

ANSWER_WITHIN_S = 10.0
"""How long the engine may take. It may be longer before a run has begun; the verb stays first in line."""
_log = structlog.get_logger("openbell")


class Switchboard:
    """Answers every request and logs each; `facts` are those of the last heartbeat."""

    def __init__(
        self,
        *,
        gate: ControlGate,
        scope_fault: ScopeFault,
        facts: Callable[[], dict[str, object]],
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._gate = gate
        self._scope_fault = scope_fault
        self._facts = facts
        self._answer_within_s = answer_within_s

    async def obey(self, *, verb: str, scope: str, actor: str, nonce: str = "") -> Reply:
        """Do it, or say why not."""
        if verb not in VERBS:
            return self.refused(f"verb {shown(verb)}: must be one of {', '.join(VERBS)}", actor)
        if fault := self._scope_fault(verb, scope):
            return self.refused(f"{verb}: {fault}", actor)
        if verb == "status":
            return Reply(accepted=True, state=self._gate.state(), facts=self._facts())
        event = OperatorCommanded(
            received_at=self._gate.now(), verb=cast("Order", verb), scope=scope, actor=actor, nonce=nonce
        )
        try:
            async with asyncio.timeout(self._answer_within_s):
                state = await self._gate.submit(event)
        except Refused as error:
            return self.refused(str(error), actor)
        except TimeoutError:
            waiting = f"{verb}: not carried out within {self._answer_within_s:g} s; it stays first in line"
            return self.refused(f"{waiting}, `openbell status` shows when it is done", actor)
        _log.warning("control.accepted", verb=verb, scope=scope, actor=actor, state=state)
        return Reply(accepted=True, state=state)

    def refused(self, reason: str, actor: str) -> Reply:
        """The refusal, logged."""
        _log.warning("control.refused", reason=reason, actor=actor)
        return Reply(accepted=False, reason=reason, state=self._gate.state())
