"""Tests of the vocabulary, indicators and stores."""
