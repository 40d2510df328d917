"""Upkeep (运维): the audit log read and carried away, back-ups, retention, change of keys, figures."""
