"""What goes wrong and when: a plan out of a seed, a plan made smaller, and what of all that really occurred.

draw.py            `drawn(seed, weather)`: the whole plan
level.py           how hard a weather is, and how hard one of its days
chances.py         numbers drawn: log-uniform lengths, weighted choices
trading_days.py    which session: ordinary, half, around holidays and changes of the clock, with a night before it
configuration.py   the daemon's sections, varied; limits.py its limits
restless.py        a strategy that trades whatever the prices do (the world copies STRATEGY_FILES beside the config)
stage.py           when and where of one day: moments at which orders work, incidents that end in time
gateway_rules.py   the 54 faults with parameters over their range
single.py          one incident by itself; persons.py what people ask, and ask back
pairs.py           what comes together and kills real daemons
span.py            when an incident begins and ends
shrink.py          `shrunk(plan, fails)`: delta debugging
scene.py           a history walked through; situations.py F1 to F22 as rules over it; hits.py `hits_of(history)`
"""
