"""What runs.

settings.py         how a gateway runs, checked
clock.py            market time: real, accelerated, or virtual
agenda.py           what is to happen at an instant of market time
session.py          one login: market, clock, accounts, desk and clients
playback.py         plays a day's steps along the clock, and the agenda between them
nights.py           from one trading day to the next
standing_quotes.py  the matcher learns of a market when an order arrives

connections.py      the listener, the handshake, one task per client
client.py           one connected client
subscriptions.py    what it wants to be told
message_rate.py     how many messages a second it may send
dispatch.py         which function answers which request, and what the rest gets
message_ids.py      where messages carry the ids that a client chose
controls.py         refuse, freeze, drop, restart, lose the servers

state_file.py       what a restart must not forget, on disk
restoring.py        where a gateway begins that has a state
recording.py        the wire traffic, written down and scrubbed
recording_file.py   a recording, read and checked
recorded_part.py    which recorded message answers which request
recorded.py         a recording, served
process.py          the command as a process
"""
