"""Fakes that stand for the outside; shipped with the tests that use them."""
