"""The TWS socket protocol.

wire.py      frames, fields, the tolerant reader and the exact writer
layout.py    what a message table is: encoder, decoder and documentation in one
layouts.py   the tables
message.py   a message before it is bytes
requests.py  what clients ask, one struct per message
answers.py   what the gateway says, one function per message
"""
