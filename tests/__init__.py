"""Tests are sentences: given these events, then exactly these commands. Folders mirror the packages.

architecture/  the house rules, checked over our own source
shared/, strategies/, risk/, daemon/, brokers/, research/  one folder per package
"""
