"""Where the numbers of a filter come from: noise by EM, hidden Markov models by EM, other models through pykalman.

em_rule.py        when EM stops, what bounds the variances, and what a fit is
level_em.py       noise of the local level, a whole panel at once
trend_em.py       noise of the local linear trend, a whole panel at once
general_model.py  any linear Gaussian model, one series, by pykalman
hmm_kernels.py    forward and backward pass of a Gaussian hidden Markov model
hmm_em.py         its EM from several starts; the states come out in the order of their volatility
picture.py        one instrument with its trend, as PNG

The live side is shared/indicators (kalman_*.py, gaussian_hmm.py, regimes.py): it filters with what was found here.
"""
