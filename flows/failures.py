"""Whose fault it is when a run fails: trouble with the database or Prefect says nothing against the cases in hand."""

from __future__ import annotations

import httpx
from prefect.exceptions import PrefectException

from services.errors import UnavailableError


def of_prefect(failure: BaseException) -> bool:
    """Whether Prefect did not do its part: it is away, or no longer knows the run that asks."""
    return isinstance(failure, httpx.HTTPError | PrefectException)


def blameless(failure: BaseException) -> bool:
    """Whether the cases in hand have no part in it, so that it must not count as a try of theirs."""
    return isinstance(failure, UnavailableError | OSError) or of_prefect(failure)
