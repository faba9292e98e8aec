"""The rim of the daemon: clock, inbox, feed, loop, connection, recovery, audit, commands."""
