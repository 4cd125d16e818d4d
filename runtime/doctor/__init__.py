"""Everything needed before the market opens, one check a function."""
