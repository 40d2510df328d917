"""What tests share: a real PostgreSQL, a settable clock, people, and departments."""
