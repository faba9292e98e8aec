"""The independent judge: reads a history and nothing else, and says which of I1 to I22 (RELIABILITY.md 4) it breaks.

    judging.py    breaches_of: every record in order, every invariant after each
    explaining.py explained: one breach for a person
    breach.py     what a breach is, and what every invariant is made of
    scene.py      what all of them look at: ledger.py (the broker's truth, made of order.py), reach.py (could the
                  daemon act at all), written.py (what was durable, sent, told), splits.py (which wait for a person)
    protection.py I1, I2      identity.py I3, I4, I15   agreement.py I5, I6, I12   limits.py I7, I8
    market.py     I9 to I11   control.py I13, I14       liveness.py I16, I22       people.py I18 to I20
    checked.py    what the world found by itself, of whichever invariant

Written from RELIABILITY.md, DESIGN.md, TWS.md and the documentation, never from the daemon's code; nothing of the
daemon, its brokers or its vocabulary is imported (tests/architecture/test_judge.py).
"""
