"""Silence and trouble become a message to a person (P12). Run by `workers/watchdog.py`."""
