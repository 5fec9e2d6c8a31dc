"""The outside world, with time limits and retries; nothing here knows the database."""
