"""Heartbeats as the daemon's mirror publishes them, for a watcher on another host."""

from __future__ import annotations

import json
from collections import deque

from daemon.control.mirror import Topics
from daemon.control.mqtt_client import mqtt_place
from daemon.runtime.surroundings import Surroundings
from shared.config import Config
from shared.io.mqtt_port import BACK_OFF_S, MqttMessage

KEPT_BY_BROKER = "kept_by_broker"
"""Marks a beat that the broker had kept: it says how the daemon was, not that it lives."""
_WAITING_MAX = 100


class MqttFollower:
    """`run` keeps the line to the broker; `fresh` gives what has come. A broker that is gone is silence too."""

    def __init__(
        self,
        config: Config,
        back_off_s: tuple[float, float] = BACK_OFF_S,
        surroundings: Surroundings | None = None,
    ) -> None:
        surroundings = surroundings or Surroundings()
        self._arrived: deque[dict[str, object]] = deque(maxlen=_WAITING_MAX)
        self._link = surroundings.open_link(
            mqtt_place(config),
            client_id=f"openbell-watch-{surroundings.entropy(4).hex()}",
            topics=(Topics(config.mqtt.topic).state,),
            on_message=self._take,
            back_off_s=back_off_s,
        )

    async def run(self) -> None:
        """For ever."""
        await self._link.run()

    def fresh(self) -> list[dict[str, object]]:
        """The beats since the last call."""
        return [self._arrived.popleft() for _ in range(len(self._arrived))]

    def close(self) -> None:
        """Nothing to give back: the line ends with `run`."""

    def _take(self, message: MqttMessage) -> None:
        try:
            facts = json.loads(message.payload)
        except ValueError:
            return  # whoever else writes there is no daemon of ours
        if isinstance(facts, dict):
            self._arrived.append({**facts, KEPT_BY_BROKER: message.is_retained})
