"""The console: pages for people, rendered here and usable without a script. How to add one: ``docs/console.md``."""

from api.console.errors import answering
from api.console.mounting import install

__all__ = ["answering", "install"]
