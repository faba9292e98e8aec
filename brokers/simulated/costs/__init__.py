"""What trading and holding US stocks costs. PURE: numbers in, numbers out.

regulatory_rates.py  SEC Section 31 and FINRA Trading Activity Fee with the days from which they hold
charging.py          one execution -> commission, exchange and clearing, regulators: each its own figure
slippage.py          the part of a market or stop fill's price that is ours to pay: fixed, spread, square-root impact
spread_estimates.py  the bid-ask spread from daily highs, lows and closes: Corwin-Schultz, Abdi-Ranaldo
financing.py         interest on cash and the fee of borrowed shares, per calendar day

The rates per share of IBKR stand in ../commission.py, those of exchanges and clearing in ../third_party_fees.py.
"""
