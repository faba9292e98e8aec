"""How a person hears of what the daemon noticed. Nothing here can stop or delay the trading.

catalogue.py   every code that may reach a person: how urgent, what counts as the same, where the runbook speaks of it
message.py     what is sent; digest.py the one message after the close
throttle.py    PURE: repeats are counted, floods merged, pages always pass
beat_watch.py  PURE: what successive heartbeats give reason to say
desk.py        takes notices and heartbeats, fills the outboxes; outbox.py one channel's queue, spool.py its memory
channels.py    builds the channels of [[alert]]: mail.py, webhook.py, telegram.py, apprise_bridge.py (posting.py: HTTP)
watcher.py     the second process that notices when heartbeats stop; mqtt_follower.py the same from another host
open_desk.py   a desk as the configuration wants it; cli.py `openbell alerts`, `openbell watch`
"""
