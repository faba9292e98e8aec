"""Interactive Brokers through ib_insync, which is imported here and nowhere else.

Raw callbacks are translated at once into our events, our commands into wire orders. Decisions live elsewhere.

broker.py      IbBroker: brokers/port.py's Broker
session.py     what lives as long as one connection, and how its loss is told
connection.py  the socket: connect within a time, leave, pace questions
decoder.py     ib_insync's decoder, made to lose nothing in silence
wrapper.py     the raw callbacks
requests.py    questions, their end markers and their time
questions.py   what we ask: contracts, history, the report
orders.py      commands as IB orders            register.py    orderRef, order id and permId side by side
order_news.py  what happened to our orders      fill_news.py   executions, corrections, commissions
contracts.py   instruments as IB contracts      history.py     past bars as rows
streams.py     5-second bars, cleaned           translate.py   raw values as our vocabulary
codes.py       IB's message codes in five classes (table: codes.toml)
"""
