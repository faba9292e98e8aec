"""What a power cut or a kill leaves of the journal: all writes recorded, every crash state rebuilt and opened again.

operations.py    the vocabulary: what a process did to files, and what it had promised when
recorder.py      a SQLite file layer (apsw) that writes it down; system_calls.py does so for what Python writes itself
disk.py          which bytes and names are durable, which may be lost
states.py        the crash states of a recording: after a kill, after a power cut
story.py         real days of a real journal under the recorder: a day, an upgrade, a restart after a crash
verdict.py       one state opened by the product: rows, files, recovery
enumeration.py   many states of many stories, counted
"""
