"""The TWS socket protocol at server versions 157 and 176.

wire.py            frames, fields, the tolerant reader and the exact writer
handshake.py       which version is spoken
entries.py         what message tables are made of
layout.py          what a message table is: encoder, decoder and documentation in one
compiled.py        the fast way from a table to bytes
layouts.py         the tables of the short messages
order_layouts.py   the tables of the messages that carry whole orders
data_layouts.py    the tables of what else is said about markets
message.py         a message before it is bytes
request_shapes.py  what requests are made of
requests.py        what clients ask about orders, account and connection
data_requests.py   what clients ask about contracts and markets
reading.py         from fields to a request
answers.py         what the gateway says, one function per message
data_answers.py    what it says about markets beside the plain ticks and bars
"""
