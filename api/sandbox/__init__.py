"""The sandbox: departments played honestly over HTTP, or with the faults one asks for.

It stands for the other side in the demonstration, in tests and in benchmarks, and shares nothing with the service but
the wire: it verifies and signs with the public ``standardwebhooks`` package and keeps its own database.
"""

from api.sandbox.app import create_sandbox
from api.sandbox.behaviour import Behaviour
from api.sandbox.settings import SandboxSettings

__all__ = ["Behaviour", "SandboxSettings", "create_sandbox"]
