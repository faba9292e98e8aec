"""The proof that the simulation bites: the product's safeguards, each switched off for the time of a run.

safeguard.py is how one is switched off; entries, truth, protection and outside are the rows by subject, table.py is all
of them. sought.py looks for the first seed whose judge sees the harm, aimed.py makes days where chance is too seldom,
search.py is the command, found.py keeps what was found (found.toml, plans/), unseen.py says what no day shows and why.
"""
