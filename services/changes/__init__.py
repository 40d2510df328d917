"""Changes (动态): what happens, told as it happens to those who may know of it: kinds and subjects, and no person."""
