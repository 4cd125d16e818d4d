"""The evening reconciliation: the ledger, the broker, the account and data.go.kr say the same."""
