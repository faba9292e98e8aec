"""Tests of research.measures; builders.py holds what they are made of."""
