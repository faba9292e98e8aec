"""[cluster] of config.toml: where research runs its many replays. One line, the address, moves it to a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from shared.config_faults import Fault, as_toml, value_at
from shared.config_fields import choice, text, whole
from shared.config_section import Section

Backend = Literal["loky", "dask", "ray"]
SCHEMES: dict[str, Backend] = {"tcp": "dask", "tls": "dask", "ray": "ray"}
"""What the beginning of an address says about who answers there."""

_ADDRESS = text(
    "empty for this machine, tcp://HOST:PORT or tls://HOST:PORT of a dask scheduler, or ray://HOST:PORT",
    "",
    r"^$|^(tcp|tls|ray)://[^\s/]+:\d{1,5}$",
)


class ClusterConfig(Section):
    """[cluster]: processes of this machine (loky) unless an address names a dask or ray cluster."""

    backend: Annotated[Literal["auto", "loky", "dask", "ray"], choice("auto", "loky", "dask", "ray")] = "auto"
    address: Annotated[str, _ADDRESS] = ""
    workers: Annotated[int, whole(0, 1_024, 2)] = 0

    @property
    def runs_on(self) -> Backend:
        """Who runs the replays: what `backend` says, or else what the address says."""
        return SCHEMES.get(self.address.partition("://")[0], "loky") if self.backend == "auto" else self.backend


def the_address_is_of_the_backend(data: Mapping[str, Any]) -> Iterator[Fault]:
    """An address that nobody would use, or a cluster nobody named."""
    path = ("cluster", "backend")
    backend, address = value_at(data, path), value_at(data, ("cluster", "address")) or ""
    if backend not in {"loky", "dask", "ray"} or not isinstance(address, str):
        return
    spoken = SCHEMES.get(address.partition("://")[0])
    if address and spoken not in {None, backend}:
        yield path, f"cluster.backend = {as_toml(backend)}: cluster.address is of {spoken}, must be {as_toml(spoken)}"
    elif backend == "dask" and not address:
        yield path, 'cluster.backend = "dask": cluster.address is empty, must be tcp://HOST:PORT of the scheduler'
