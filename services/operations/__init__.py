"""Operations: what went wrong, told once a cause, and put right safely."""
