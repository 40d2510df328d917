"""The guard before pages, until a session's own stands in ``api.access``."""

from api.access import GuardedRoute


class GuardedPage(GuardedRoute):
    """A page for people, behind the access matrix."""
