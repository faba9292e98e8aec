"""The house rules that no linter knows, checked over our own source."""
