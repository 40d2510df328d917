"""The doors: HTTP routes, the command line, and the sandbox departments."""
