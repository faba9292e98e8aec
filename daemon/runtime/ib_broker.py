"""The broker that the configuration names: the one place where its keys become an IbBroker.

For the daemon, for `rescue` and for the acceptance of the doctor; nothing of the engine or the journal is needed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.port import BrokerListener, Clock
from shared.config import Config

if TYPE_CHECKING:
    from brokers.ib.broker import IbBroker


def ib_broker(config: Config, listener: BrokerListener, clock: Clock) -> IbBroker:
    """Not connected yet; `broker.codes_file` is looked up from config.toml's folder.

    Raises:
        ConfigError: both client ids are the same, or the codes file is wrong.
    """
    from brokers.ib.broker import IbBroker

    section = config.broker
    return IbBroker(
        host=section.host,
        port=section.port,
        client_id=section.client_id,
        data_client_id=section.data_client_id,
        universe=config.universe_of(),
        connect_timeout_s=section.connect_timeout_s,
        request_timeout_s=section.request_timeout_s,
        listener=listener,
        clock=clock,
        account=config.account,
        calendar=config.session.calendar,
        quotes=section.quotes,
        codes_file=str(config.base_dir / section.codes_file) if section.codes_file else "",
    )
