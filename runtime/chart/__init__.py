"""The chart of one stock: bars, our fills, the prices armed conditions wait for, and the gaps."""
