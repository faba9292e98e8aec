"""What is wrong with stored or given data: found, named, counted, and repaired by a stated rule or refused.

finding.py   the kinds of finding: how bad, and the rule for each
table.py     a file or a stored series, as written: one Series per symbol
order.py     times and values that cannot be      ranges.py   prices that contradict each other
prints.py    bad prints, wicks and jumps by robust z-scores
splits.py    splits without an action, actions without a split
quiet.py     stale runs, zero volume, lots against shares
sessions.py  bars missing or too many against the exchange calendar
quotes.py    crossed and missing quotes           compare.py  two sources of the same bars
verify.py    all of it over a table: a Report     repair.py   the table without what is wrong
picture.py   a calendar per symbol                report.py   the report as table and JSON
"""
