"""What the system carries out for a resolution: each kind looked at first, approved, done, and proven by the ledger."""
