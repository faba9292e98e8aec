"""Broken configurations of what stands around the trading; all are written behind the last line, which is 90."""

from tests.shared.broken_rules import LAST


def _beside(lines, *expected):
    return LAST, f"{LAST}\n{lines}", list(expected)


NEEDS_HTTPS = "must be https://..."
BROKEN_OUTSIDE = {
    "a password in the journal's URL": _beside(
        '[journal]\nurl = "postgresql://bell:hunter2@db/bell"',
        "92: journal.url: holds a password, must not; keep it as the secret named by journal.password_secret",
    ),
    "a password among the parameters of the URL": _beside(
        '[journal]\nurl = "postgresql://db/bell?password=hunter2"',
        "92: journal.url: holds a password, must not; keep it as the secret named by journal.password_secret",
    ),
    "a database nobody supports": _beside(
        '[journal]\nurl = "mysql://db/bell"',
        "92: journal.url: must be empty or postgresql://USER@HOST:PORT/DATABASE",
    ),
    "a URL with a port that is a word": _beside(
        '[journal]\nurl = "postgresql://db:five/bell"',
        "92: journal.url: must be empty or postgresql://USER@HOST:PORT/DATABASE",
    ),
    "a server without a database": _beside(
        '[journal]\nurl = "postgresql://bell@db"',
        '92: journal.url = "postgresql://bell@db": names no database, must end in /DATABASE',
    ),
    "a secret instead of its name": _beside(
        '[journal]\npassword_secret = "Hunter-2!"',
        '92: journal.password_secret = "Hunter-2!": must be the name of a secret',
    ),
    "a foreign position that shall be sold at once": _beside(
        '[reconcile]\nforeign = "flatten"',
        '92: reconcile.foreign = "flatten": must be "report" or "adopt" or "reduce"',
    ),
    "an adopted position without a stop": _beside(
        "[reconcile]\nadopted_stop_pct = 0",
        "92: reconcile.adopted_stop_pct = 0: must be above 0 and at most 50",
    ),
    "a control socket by number": _beside(
        "[control]\nenabled = 1",
        "92: control.enabled = 1: must be true or false",
    ),
    "commands through MQTT that is off": _beside(
        "[mqtt]\ncommands = true",
        "92: mqtt.commands = true: needs mqtt.enabled = true",
    ),
    "Home Assistant through MQTT that is off": _beside(
        "[mqtt]\nenabled = false\nhome_assistant = true",
        "93: mqtt.home_assistant = true: needs mqtt.enabled = true",
    ),
    "a certificate without TLS": _beside(
        '[mqtt]\nenabled = true\nca_file = "ca.pem"',
        '93: mqtt.ca_file = "ca.pem": needs mqtt.tls = true',
    ),
    "a topic with a wildcard": _beside(
        '[mqtt]\ntopic = "home/#"',
        '92: mqtt.topic = "home/#": must be a topic without wildcards',
    ),
    "a password of MQTT in the file": _beside(
        '[mqtt]\npassword = "hunter2"',
        "92: mqtt.password: unknown key, did you mean password_secret?",
    ),
    "MQTT on the gateway's port": _beside(
        "[mqtt]\nenabled = true\nport = 4010",
        "93: mqtt.port = 4010: is broker.port too, must be another",
    ),
    "figures on the gateway's port": _beside(
        "[metrics]\nport = 4010",
        "92: metrics.port = 4010: is broker.port too, must be another",
    ),
    "figures on the port of MQTT": _beside(
        "[mqtt]\nport = 1883\n[metrics]\nport = 1883",
        "94: metrics.port = 1883: is mqtt.port too, must be another",
    ),
    "figures on a port that cannot be": _beside(
        "[metrics]\nport = 65536",
        "92: metrics.port = 65536: must be 0 to 65535",
    ),
    "a cluster that speaks another language": _beside(
        '[cluster]\nbackend = "ray"\naddress = "tcp://head:8786"',
        '92: cluster.backend = "ray": cluster.address is of dask, must be "dask"',
    ),
    "dask without a scheduler": _beside(
        '[cluster]\nbackend = "dask"',
        '92: cluster.backend = "dask": cluster.address is empty, must be tcp://HOST:PORT of the scheduler',
    ),
    "a cluster without a port": _beside(
        '[cluster]\naddress = "tcp://head"',
        '92: cluster.address = "tcp://head": must be empty for this machine, tcp://HOST:PORT or tls://HOST:PORT of a '
        "dask scheduler, or ray://HOST:PORT",
    ),
    "sizes scaled by scores that nobody brings": _beside(
        "[insiders]\nstrength = 0.2",
        "92: insiders.strength = 0.2: needs insiders.table, which is not given",
        '92: insiders.strength = 0.2: needs nightly.plan = "require", which brings the scores',
    ),
    "mail without an address": _beside(
        '[[alert]]\nname = "mail"\nkind = "email"\nurl = "smtp://localhost:25"',
        '91: alert[mail].sender: missing, kind = "email" needs sender',
        '91: alert[mail].to: missing, kind = "email" needs to',
    ),
    "mail through the web": _beside(
        '[[alert]]\nname = "mail"\nkind = "email"\nurl = "https://a"\nto = "a@b.c"\nsender = "a@b.c"',
        "94: alert[mail].url: must be smtp://HOST:PORT or smtps://HOST:PORT",
    ),
    "a chat without an address": _beside(
        '[[alert]]\nname = "chat"\nkind = "slack"',
        '91: alert[chat].url: missing, kind = "slack" needs url or secret',
    ),
    "a webhook in the clear": _beside(
        '[[alert]]\nname = "hook"\nkind = "webhook"\nurl = "http://example.org/x"',
        f"94: alert[hook].url: {NEEDS_HTTPS}",
    ),
    "a webhook with its password": _beside(
        '[[alert]]\nname = "hook"\nkind = "ntfy"\nurl = "https://me:hunter2@example.org/x"',
        "94: alert[hook].url: holds a password, must not; keep it as the secret named by secret",
    ),
    "telegram without its token": _beside(
        '[[alert]]\nname = "phone"\nkind = "telegram"\nto = "1234"',
        '91: alert[phone].secret: missing, kind = "telegram" needs secret',
    ),
    "an alarm by pigeon": _beside(
        '[[alert]]\nname = "bird"\nkind = "pigeon"',
        '93: alert[bird].kind = "pigeon": must be "email" or "slack" or "discord" or "ntfy" or "webhook" '
        'or "telegram" or "apprise"',
    ),
    "two channels of one name": _beside(
        '[[alert]]\nname = "a"\nkind = "slack"\nsecret = "x"\n[[alert]]\nname = "a"\nkind = "slack"\nsecret = "x"',
        '96: alert[a].name = "a": a second channel of this name, must be unique',
    ),
    "one channel that is no array": _beside(
        '[alert]\nname = "a"',
        "91: alert = {...}: must be a table, written [[alert]]",
    ),
    "an alarm that never rests": _beside(
        "[alerts]\nrepeat_after_s = 0",
        "92: alerts.repeat_after_s = 0: must be above 0 and at most 604800",
    ),
    "a table nobody reads": _beside(
        "[dashboard]\nport = 80",
        "91: dashboard: unknown key, allowed: mode, account, state_dir, log_dir, broker, session, universe, bars, "
        "strategy and 16 more (docs/configuration.md)",
    ),
}
