"""Clients of outside services, with time limits and retries; nothing here uses the database."""
