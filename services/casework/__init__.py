"""A case's way: what stands, what is due, and the steps that lie between (verification, issuance, entitlements)."""
