"""One permit case on Lianban and on other engines, side by side, before the same departments."""
