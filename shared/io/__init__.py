"""What the packages above read and write.

bar_store.py  bars from Parquet or CSV, time-major for replay; bar_files.py reads, bar_checks.py refuses
journal.py    the append-only record of events and commands
logging.py    structlog: JSON to logs/, readable on a terminal
"""
