"""Recording the day's raw frames, and playing them again (docs/adr/0010)."""
