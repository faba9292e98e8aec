"""Safeguards that bite in the engine's own tests (test_safeguards_*.py) but on no day: why, and what would show them.

Each is a hint: for the weather (a trouble that never comes), for the judge (harm that no record tells), or for nobody,
where another safeguard stands behind.
"""

from __future__ import annotations

UNSEEN: dict[str, str] = {
    "unknown_orders_block_entries": "planning counts an unknown order as live, so no entry is left to forbid",
    "report_of_this_connection": "no record tells when a report was asked for, the judge takes it for a new one",
    "two_reports_before_lost": "a report never overtakes an order on one connection, and no fault leaves one out",
    "unlisted_codes_ask": "the gateway sends no code that is not in the table",
    "working_after_its_end_is_doubt": "the gateway never shows an order at work that it has told as cancelled",
    "ids_never_roll_back": "what the gateway has seen it refuses (103), and legs left alone go with a report",
    "commission_sentinels": "fault 23 leaves out the realised profit, never the commission",
    "acknowledgement_timer": "the order's stop is in doubt sooner, and the question about it answers for all",
    "doubtful_stops_are_told": "questions are answered, so a stop is in doubt for less than a second",
    "bare_entries_are_pulled": "bare_shares_get_a_stop stands behind it, within a second",
    "refused_stops_are_counted": "stops are refused and sent for ever, and no invariant counts them",
    "exits_count_once": "an exit that TWS holds back is cancelled within seconds, and one that fills ends its group",
    "denied_shares_are_not_sold": "the judge excuses an instrument in which a stranger has traded",
    "stops_outlive_the_day": "the first report of the morning shows them gone, and new ones are sent at once",
    "cancels_are_repeated": "where the gateway swallows cancels (fault 32) it swallows every one",
    "streams_are_asked_again": "the judge does not ask for rows: no record tells that the market has printed",
    "warnings_end_nothing": "news of an order that is over in the book asks the broker, and that sets it right",
    "synced_journal": "a day kills processes, not the machine: the enumeration of power cuts shows it",
}
