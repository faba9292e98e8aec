"""A broker made here.

matching.py  pure: the written fill rules, used by every driver that replays bars
gateway/     a TWS on the wire, for the daemon, for tests and for any other client
"""
