"""Remedies (处置): what an administrator puts right, with a reason, a record, and for many cases a second person."""
