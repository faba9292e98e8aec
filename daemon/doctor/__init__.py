"""`openbell doctor`: is everything there that trading needs.

check.py     what a check is: name, judgement, remedy; and a line of the report
machine.py   looks at the machine, brokers/ib/probe.py at the gateway, mqtt_probe.py at the MQTT broker
*_checks.py  the tables of checks
report.py    runs all checks, acceptance.py tries the gateway with a paper order; cli.py prints
"""
