"""The whole daemon in weather: real runtime, real journal, real ib_insync, the gateway; only sockets and clock are not.

world/ is what is simulated (loop, network, disk, people), weather/ what goes wrong and
when, judge/ reads the history and nothing else. docs/simulation.md says how they meet.
"""
