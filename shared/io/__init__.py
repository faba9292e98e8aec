"""What the packages above read and write.

bar_store.py  bars from Parquet or CSV, time-major for replay; bar_files.py reads, bar_checks.py refuses,
              arrow_values.py: Arrow to numpy without pandas
bar_library.py   the bar store: raw bars of many instruments in one folder, adjusted on reading, point in time
              (bar_part.py: one file; bar_places.py: names; bar_manifest.py: what a series holds; bar_disk.py: what may
              fail; stored_actions.py, price_adjustment.py: dividends and splits; panel_of_bars.py: side by side)
session_cache.py  the sessions of a calendar on disk, so that a replay does not compute them
journal.py    the append-only record of events and commands: reader and writer, the same over both databases
              (journal_database.py: what is asked of one; journal_sqlite.py, journal_postgres.py; journal_rows.py:
              rows and their chain; journal_place.py: where a configuration keeps it; journal_verify.py,
              journal_export.py, journal_copy.py; journal_audit.py: its events again give its commands;
              journal_bars.py: the rows it holds)
action_table.py  dividends and splits for replay and daemon; table_rows.py how such small tables are read
plan_file.py  the plan of a session, written whole, judged before it is traded by
fingerprints.py  hashes of code, configuration and bars, by which daemon and research recognise what the other wrote
logging.py    structlog: JSON to logs/, readable on a terminal
"""
