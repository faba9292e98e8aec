"""Rules, sizing and exits, by hand and by property."""
