"""A KIS on a port: REST and websocket of the broker's Open API, with a market behind them.

Written from the broker's published interface alone. It imports nothing of the trading machine, so
that the two cannot agree on the same mistake.
"""
