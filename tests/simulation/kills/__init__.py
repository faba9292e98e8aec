"""Every moment of a day at which the process may be killed, one by one: at each, a copy of the whole world goes on
without it.

The world is one process without threads or file descriptors, so `fork` copies it whole: gateway, sockets, clock and
all. In the copy the daemon is killed, starts again and gets time to heal; then the judge reads the copy's history.
enumeration.py says how.
"""
