"""The HTTP routes, one module a kind of matter; each stands in the access matrix."""
