"""What applicants and holders are handed on paper: the receipt (受理回执) and the rights notice (权益告知书)."""
