"""The peers of the replay comparison, one small file each: `python -m bench.replay_peers.NAME FOLDER WORKLOAD`.

contest.py           what a peer is given (a folder with the panel) and what it prints (one JSON line)
ours.py              run_replay: engine, gate, brackets, decision log
plain_backtrader.py  one PandasData feed per symbol, bt's indicators, brackets and broker
numba_loop.py        the bare loop over the arrays: no engine, no orders, no log
vectorbt.py, backtesting_py.py  in the Python that OPENBELL_PEERS_PYTHON names
nautilus.py          in the one that OPENBELL_NAUTILUS_PYTHON names
"""
