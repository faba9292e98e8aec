"""What the packages above read and write.

bar_store.py  bars from Parquet or CSV, time-major for replay; bar_files.py reads, bar_checks.py refuses
journal.py    the append-only record of events and commands: reader and writer, the same over both databases
              (journal_database.py: what is asked of one; journal_sqlite.py, journal_postgres.py; journal_rows.py:
              rows and their chain; journal_place.py: where a configuration keeps it; journal_verify.py,
              journal_export.py, journal_copy.py)
logging.py    structlog: JSON to logs/, readable on a terminal
"""
