"""How a person reaches a running daemon, and the broker when the daemon is of no use any more.

verbs.py           the closed set of verbs, their scopes, their replies
gate.py            ControlGate: the one door into the engine's loop
switchboard.py     a verb from wherever it came, checked, carried out, answered
control.py         Control: socket, mirror and commands of one daemon

control_socket.py  the daemon's end of the local socket      socket_client.py  a person's end
envelope.py        PURE: a signed command and its verdict    mqtt_commands.py  signed commands over MQTT
mirror.py          heartbeats, last will and Home Assistant  mqtt_client.py    a person's end of MQTT

rescue.py          list, cancel and flatten straight at the broker, without loop or journal
rescue_plan.py     PURE: what would be sent for that         rescue_view.py    PURE: what the broker told, as lines
cli.py             openbell halt, block, reduce, observe, resume, flatten, reset, accept, command
rescue_cli.py      openbell rescue
"""
