"""The vocabulary every room speaks.

market       instruments, bar rows, the universe
orders       intents, verdicts, brackets, working orders, fills, positions
account      what the broker says we own
day_plan     what the nightly run lays down for the next session
corporate_actions  what a dividend or a split does to shares and prices
signals      a strategy's conviction and the target it leads to
events       what happened (past tense); commands: what to do (imperative)
ids          computed order references
sessions     trading hours by exchange_calendars (the one file that imports it)
config       config.toml, strict, every fault with its line (config_rules, config_limit_rules, config_outside_rules:
             contradictions between keys; config_faults: faults in words; config_lines: where each key stands;
             config_insiders: [insiders]; config_origin: what holds and why; config_schema: the same for editors)
errors       sorted by who must act
messages     the one codec between messages and bytes
indicators/  PURE numba kernels; io/ journal, bar store, logging
"""
