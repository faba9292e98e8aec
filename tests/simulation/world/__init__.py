"""What is simulated around the real daemon: time and order (loop.py), processes that can be killed (process.py),
sockets (network.py, wire_end.py), the disk under the journal (disk.py), people and their channels, and the run itself
(run.py).
"""
