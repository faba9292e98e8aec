"""Contradictions in what stands around the trading: the journal's URL, MQTT, the ways to a person, ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from shared.config_faults import Fault, as_toml, key_text, value_at
from shared.config_lines import TomlPath

_Data = Mapping[str, Any]
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
_URL_KINDS = frozenset({"slack", "discord", "ntfy", "webhook"})

NEEDED_BY_KIND: dict[str, tuple[tuple[str, ...], ...]] = {
    "email": (("url",), ("to",), ("sender",)),
    "telegram": (("to",), ("secret",)),
    **dict.fromkeys((*sorted(_URL_KINDS), "apprise"), (("url", "secret"),)),
}
"""What each kind of [[alert]] needs: of each group at least one key."""


def journal_url_names_a_database(data: _Data) -> Iterator[Fault]:
    path = ("journal", "url")
    url = value_at(data, path)
    if not isinstance(url, str) or not url:
        return
    parts = _split(url)
    # The value is not shown: it may hold the password.
    if parts is None or parts.scheme not in {"postgresql", "postgres"} or not parts.hostname:
        yield path, "journal.url: must be empty or postgresql://USER@HOST:PORT/DATABASE"
    elif parts.password is not None or "password=" in parts.query:
        yield (
            path,
            "journal.url: holds a password, must not; keep it as the secret named by journal.password_secret",
        )
    elif len(parts.path) <= 1:
        yield path, f"journal.url = {as_toml(url)}: names no database, must end in /DATABASE"


def mqtt_is_on_where_it_is_used(data: _Data) -> Iterator[Fault]:
    if value_at(data, ("mqtt", "enabled")) is True:
        return
    for name in ("commands", "home_assistant"):
        if value_at(data, ("mqtt", name)) is True:
            yield ("mqtt", name), f"mqtt.{name} = true: needs mqtt.enabled = true"


def a_certificate_is_used(data: _Data) -> Iterator[Fault]:
    file = value_at(data, ("mqtt", "ca_file"))
    if isinstance(file, str) and file and value_at(data, ("mqtt", "tls")) is not True:
        yield ("mqtt", "ca_file"), f"mqtt.ca_file = {as_toml(file)}: needs mqtt.tls = true"


def alert_channels_have_what_they_need(data: _Data) -> Iterator[Fault]:
    for path, channel in _channels(data):
        kind = channel.get("kind")
        needed = NEEDED_BY_KIND.get(kind, ()) if isinstance(kind, str) else ()
        for group in needed:
            if not any(channel.get(key) for key in group):
                what = " or ".join(group)
                yield path, f"{key_text((*path, group[0]), data)}: missing, kind = {as_toml(kind)} needs {what}"


def alert_urls_are_of_their_kind(data: _Data) -> Iterator[Fault]:
    for path, channel in _channels(data):
        url, kind = channel.get("url"), channel.get("kind")
        if isinstance(url, str) and url and isinstance(kind, str) and (wrong := _wrong_url(url, kind)):
            place = (*path, "url")
            yield place, f"{key_text(place, data)}: {wrong}"


def alert_names_are_unique(data: _Data) -> Iterator[Fault]:
    seen: set[str] = set()
    for path, channel in _channels(data):
        name = channel.get("name")
        if isinstance(name, str) and name in seen:
            place = (*path, "name")
            yield place, f"{key_text(place, data)} = {as_toml(name)}: a second channel of this name, must be unique"
        seen.add(str(name))


def ports_are_not_shared(data: _Data) -> Iterator[Fault]:
    """Two services on one port of this machine; addresses elsewhere are not ours to judge."""
    metrics, gateway = value_at(data, ("metrics", "port")), value_at(data, ("broker", "port"))
    if isinstance(metrics, int) and metrics and metrics == gateway and _is_here(data, "broker"):
        yield ("metrics", "port"), f"metrics.port = {metrics}: is broker.port too, must be another"
    mqtt = value_at(data, ("mqtt", "port"))
    if not isinstance(mqtt, int) or not _is_here(data, "mqtt"):
        return
    if mqtt == gateway and _is_here(data, "broker"):
        yield ("mqtt", "port"), f"mqtt.port = {mqtt}: is broker.port too, must be another"
    if metrics == mqtt:
        yield ("metrics", "port"), f"metrics.port = {metrics}: is mqtt.port too, must be another"


def _is_here(data: _Data, section: str) -> bool:
    host = value_at(data, (section, "host"))
    return host is None or host in _HERE


def _wrong_url(url: str, kind: str) -> str:
    """What is wrong with the URL of a channel; the value is not shown, webhook URLs are secrets themselves."""
    parts = _split(url)
    if kind == "email":
        is_mail = parts is not None and parts.scheme in {"smtp", "smtps"} and parts.hostname
        allowed = "" if is_mail else "must be smtp://HOST:PORT or smtps://HOST:PORT"
    elif kind in _URL_KINDS:
        is_web = parts is not None and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE))
        allowed = "" if is_web and parts is not None and parts.hostname else "must be https://..."
    else:
        allowed = ""
    if not allowed and parts is not None and parts.password is not None and kind != "apprise":
        return "holds a password, must not; keep it as the secret named by secret"
    return allowed


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is no number is found only here
    except ValueError:
        return None
    return parts


def _channels(data: _Data) -> list[tuple[TomlPath, _Data]]:
    tables = data.get("alert")
    found = enumerate(tables) if isinstance(tables, list) else []
    return [(("alert", position), table) for position, table in found if isinstance(table, dict)]
