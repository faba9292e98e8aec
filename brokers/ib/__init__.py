"""Interactive Brokers through ib_insync, which is imported here and nowhere else.

Raw callbacks are translated at once into our events, our commands into wire orders. Decisions live elsewhere. Orders
and data have a client id each, so that neither waits for the other or falls with it.

broker.py         IbBroker: brokers/port.py's Broker
line.py           one client id's socket and its open questions
connection.py     the socket: connect within a time, leave, pace questions
decoder.py        ib_insync's decoder, made to lose nothing in silence
wrapper.py        the raw callbacks of every line
requests.py       questions, their end markers and their time
codes.py          IB's message codes in five classes (table: codes.toml, and the operator's own file)
translate.py      raw values as our vocabulary

session.py        the line for orders: what lives as long as it, and how its loss is told
order_wrapper.py  its raw callbacks                questions.py      what is asked over it: open orders, the report
lanes.py          what leaves when                 orders.py         commands as IB orders
register.py       orderRef, order id and permId    order_news.py     what happened to our orders
order_ids.py      ids that orders have had         fill_news.py      executions and their costs
account_news.py   account values as they stream    account_values.py when an account is known

data_link.py      keeps the line for data alive    data_session.py   that line: streams are asked for and watched
data_wrapper.py   its raw callbacks                data_questions.py contracts and history
market_data.py    what is heard of bars, quotes, farms and other logins
streams.py        5-second bars, cleaned           stream_care.py    when a stream is dead and asked for again
quotes.py         bid, ask, halts, entitlement     quality.py        what the data are worth
history.py        past bars as rows                history_pacing.py how fast history may be asked
past_bars.py      history for the store, over a line of its own (openbell data fetch)
contracts.py      instruments as IB contracts
probe.py          what a TWS or gateway says of itself when it is asked once (openbell doctor)
"""
