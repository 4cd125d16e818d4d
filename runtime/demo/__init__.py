"""The demo: the whole stack against the simulator, shown live, measured, judged."""
