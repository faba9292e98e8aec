"""A market, an account and the matching between them, without a broker.

sim_order.py         PURE: an order of ours and what can happen to it
working_orders.py    PURE: resting orders and the rules that tie them together
matching.py          PURE: orders against quotes, trades and auctions, event by event
price_index.py       PURE: resting orders by the price at which the market reaches them
triggers.py          PURE: what makes a stop trigger
trailing.py          PURE: where a trailing stop stands
market_rules.py      PURE: price increments
bar_fills.py         PURE: orders against bars, by the written rules of replays
touch_levels.py      PURE: which instruments a row of bars can touch at all
bar_broker.py        PURE: a broker whose market is rows of bars; bar_report.py its words when asked
bar_ledger.py        PURE: its account; valuation.py what it is worth, over one row or many
commission.py        PURE: what IB charges
third_party_fees.py  PURE: what exchanges and regulators charge beside
costs/               PURE: what an execution and a night cost in a replay: dated fees, slippage, spreads, financing
margin.py            PURE: what positions tie up
market/              the market: synthetic or recorded
gateway/             a TWS on the wire around all of that
"""
