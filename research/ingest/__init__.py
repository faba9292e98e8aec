"""From the outside world to data that can be trusted.

sources/   where past data come from: one protocol, one file per source
universe/  which instruments may be traded on a day
point_in_time/  what was known when: fundamentals, insiders, earnings, actions, membership
quality/   what is wrong with data: found, named, counted, repaired by a stated rule or refused
data_cli.py  `openbell data list`, `verify`, `show`, `export`, `rebuild`, `query` (cli.py puts them beside `fetch`);
           data_settings.py: section [data]; verifying.py: files or the store; stored_table.py: the store as a table;
           sql.py: DuckDB over its files; whole_bytes.py: pictures
fetching*  `openbell data fetch`: what is missing is asked for, stored, and never asked twice
"""
