"""Departments' endpoints (接口): how each is connected, whether its door is open, and what waits while it is not.

``registry``: address and secrets. ``health``: the breaker's state. ``maintenance``: announced windows. ``doors``: what
a claim may send now. ``holding``: steps held at a shut door, their release, and the preview.
"""

from services.endpoints.registry import close_endpoint, open_targets, register_endpoint, secrets_of

__all__ = ["close_endpoint", "open_targets", "register_endpoint", "secrets_of"]
