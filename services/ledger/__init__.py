"""The ledger: who works on which case and step, and how each step moves. Knows no room above it."""
