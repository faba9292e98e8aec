"""What can be wrong on this machine and in what the operator decided."""

from __future__ import annotations

from datetime import date

from daemon.doctor.check import Check, Finding, fail, ok, skip, warn
from daemon.doctor.machine import MachineFacts

_MB = 1_000_000
_DISK_WARN, _DISK_FAIL = 2_000 * _MB, 200 * _MB
_MEMORY_WARN, _MEMORY_FAIL = 500 * _MB, 200 * _MB
_REVIEW_DAYS, _CALENDAR_DAYS = 90, 60
_LIVE_NEEDS = ("max_day_loss", "max_drawdown_pct", "max_orders_per_min", "max_unknown_orders", "max_rejects_in_a_row")


def _strategies(facts: MachineFacts) -> Finding:
    return fail(facts.strategies) if facts.strategies else ok(f"{len(facts.config.strategies)} strategies load")


def _calendar(facts: MachineFacts) -> Finding:
    if facts.calendar:
        return fail(facts.calendar)
    left = (facts.calendar_ends - facts.today).days
    text = f"{facts.config.session.calendar} is known until {facts.calendar_ends}"
    return warn(text) if left < _CALENDAR_DAYS else ok(text)


def _state_dir(facts: MachineFacts) -> Finding:
    return fail(facts.state_dir) if facts.state_dir else ok(str(facts.state_folder))


def _log_dir(facts: MachineFacts) -> Finding:
    return fail(facts.log_dir) if facts.log_dir else ok(facts.config.log_dir)


def _disk(facts: MachineFacts) -> Finding:
    text = f"{facts.disk_free / _MB:,.0f} MB free for the journal"
    if facts.disk_free < _DISK_FAIL:
        return fail(text)
    return warn(text) if facts.disk_free < _DISK_WARN else ok(text)


def _file_system(facts: MachineFacts) -> Finding:
    kind = facts.network_file_system
    return fail(f"state_dir stands on {kind}, where locks cannot be trusted") if kind else ok("a local disk")


def _journal(facts: MachineFacts) -> Finding:
    if facts.journal:
        return fail(facts.journal)
    return ok("readable") if facts.journal_exists else ok("none yet, the first run makes it")


def _writer(facts: MachineFacts) -> Finding:
    if facts.writer is None:
        return ok("no other daemon writes this journal")
    return warn(f"a daemon (pid {facts.writer}) runs with this configuration; its client ids are in use")


def _secrets_usable(facts: MachineFacts) -> Finding:
    return fail("; ".join(facts.secrets_wrong)) if facts.secrets_wrong else ok("no secret is open to others")


def _secrets_there(facts: MachineFacts) -> Finding:
    found = facts.secrets_missing
    return fail(f"missing: {', '.join(found)}") if found else ok("every secret that is named is there")


def _alerts(facts: MachineFacts) -> Finding:
    pages = [channel.name for channel in facts.config.alert_channels if channel.level == "page"]
    if pages:
        return ok(f"alarms go to {', '.join(pages)}")
    return (fail if facts.config.mode == "live" else warn)("nobody is called when something goes wrong")


def _mqtt_in_the_clear(facts: MachineFacts) -> Finding:
    mqtt = facts.config.mqtt
    is_far = mqtt.enabled and not mqtt.tls and mqtt.host not in {"127.0.0.1", "localhost", "::1"}
    return warn(f"MQTT to {mqtt.host} is not encrypted") if is_far else ok("nothing leaves in the clear")


def _review(facts: MachineFacts) -> Finding:
    age = (facts.today - date.fromisoformat(facts.config.risk.reviewed_on)).days
    text = f"limits of {facts.config.risk.owner} were reviewed {age} days ago"
    if age < 0:
        return warn(f"limits are said to be reviewed on {facts.config.risk.reviewed_on}, which is to come")
    return warn(text) if age > _REVIEW_DAYS else ok(text)


def _lifted(facts: MachineFacts) -> Finding:
    lifted = [name for name in _LIVE_NEEDS if getattr(facts.config.risk, name) is None]
    if facts.config.mode == "paper":
        return ok(f"{len(lifted)} of the limits that live trading needs are lifted") if lifted else ok("set")
    return fail(f"lifted in live: {', '.join(lifted)}") if lifted else ok("every limit that live trading needs is set")


def _overnight(facts: MachineFacts) -> Finding:
    is_flat = facts.config.session.flatten_before_close_s > 0
    return ok("flat before the close") if is_flat else warn("positions are held overnight, gaps jump over stops")


def _kernel_cache(facts: MachineFacts) -> Finding:
    return warn(facts.kernel_cache) if facts.kernel_cache else ok("compiled kernels are kept")


def _memory(facts: MachineFacts) -> Finding:
    text = f"{facts.memory_available / _MB:,.0f} MB of memory free"
    if facts.memory_available < _MEMORY_FAIL:
        return fail(text)
    return warn(text) if facts.memory_available < _MEMORY_WARN else ok(text)


def _systemd(facts: MachineFacts) -> Finding:
    if facts.has_systemd:
        return ok("systemd is there")
    return (warn if facts.config.mode == "live" else skip)("no systemd: nobody restarts a daemon that hangs")


CHECKS: tuple[Check[MachineFacts], ...] = (
    Check(name="strategies", judge=_strategies, remedy="correct kind and params of the strategy, or its file"),
    Check(name="calendar", judge=_calendar, remedy="correct session.calendar; or update Openbell: its calendars end"),
    Check(
        name="state_dir",
        judge=_state_dir,
        remedy="mkdir -p and chown the folder to the daemon's user, or set state_dir",
    ),
    Check(name="log_dir", judge=_log_dir, remedy="mkdir -p and chown the folder to the daemon's user, or set log_dir"),
    Check(name="disk", judge=_disk, remedy="free space: a full disk stops trading in the middle of the day"),
    Check(
        name="file_system", judge=_file_system, remedy="set state_dir to a folder on a local disk, or use journal.url"
    ),
    Check(name="journal", judge=_journal, remedy="put back a backup, or be flat and move it away (docs/operations.md)"),
    Check(name="other_daemon", judge=_writer, remedy="openbell status shows it; stop it before a second one starts"),
    Check(
        name="secrets_private", judge=_secrets_usable, remedy="chmod 600 on each of them, owned by the daemon's user"
    ),
    Check(name="secrets_there", judge=_secrets_there, remedy="write secrets/NAME beside config.toml, chmod 600"),
    Check(name="alerts", judge=_alerts, remedy='add an [[alert]] with level = "page" (docs/alerts.md)'),
    Check(name="mqtt_private", judge=_mqtt_in_the_clear, remedy="mqtt.tls = true and a port such as 8883"),
    Check(name="limits_reviewed", judge=_review, remedy="read [risk], then set reviewed_on to today"),
    Check(name="limits_set", judge=_lifted, remedy='give each of them a number instead of "none"'),
    Check(name="overnight", judge=_overnight, remedy="session.flatten_before_close_s above 0, or accept it"),
    Check(name="kernel_cache", judge=_kernel_cache, remedy="set NUMBA_CACHE_DIR to a folder the daemon may write"),
    Check(name="memory", judge=_memory, remedy="end other programs, or use a larger machine"),
    Check(name="systemd", judge=_systemd, remedy="run under a supervisor that restarts what hangs"),
)
