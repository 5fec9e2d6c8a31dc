"""The rules: what is more than a query."""
