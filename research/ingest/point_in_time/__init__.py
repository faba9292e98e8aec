"""Tables that know when each of their rows was known, and the one join that asks them.

as_of           the join: what was known of each key at each instant
known_by        when a filing, a day without time of day or a late report was public: the later reading
reading         CSV or Parquet in, strictly: a ticker named NA is a ticker
fundamentals    10-Q and 10-K filings; companyfacts: the SEC's XBRL facts; submissions: its lists of filings
earnings        announcement days, reactions, blackout windows
insiders        Form 4 transactions, each once; insider_scores: what they say, in [-1, 1]; form4: the SEC's own XML;
                filed_insiders: a folder of it with the lists that say when each was public
sized_by_insiders  the scores of a session, for the sizes of its positions
named_actions   dividends, splits, reverse splits and spin-offs by name
"""
