"""Whatever is thrown at the service: no failure of ours, and no answer that the document does not have."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS

from api.access import WORKBOOK
from api.app import create_app
from services.settings import Settings
from tests.contract.conftest import Served


@schemathesis.serializer(WORKBOOK)
def as_workbook(_context: schemathesis.SerializationContext, value: object) -> bytes:
    """Whatever is thrown in the place of a workbook goes out as it is."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


schema = schemathesis.openapi.from_dict(create_app(Settings(_env_file=None)).openapi())
# A schema cannot say that a check digit fits, or that a signature holds: valid by it is not yet acceptable.
UNTELLABLE = [CHECKS.get_one("positive_data_acceptance")]
# A header that nobody knows makes no request bad, although the headers of a route that names one are an object here.
WITH_HEADERS = {"/api/v1/changes": [CHECKS.get_one("negative_data_rejection")]}


@pytest.mark.parametrize("path", ["", "/timeline", "/decisions", "/decisions/{sequence}"])
@pytest.mark.parametrize("serial", range(1, 6))
def test_cases_in_every_state_are_answered_as_documented(served: Served, path: str, serial: int) -> None:
    operation = schema[f"/api/v1/cases/{{number}}{path}"]["GET"]
    parameters = {"number": f"370303-2014-{serial:06d}"} | ({"sequence": 1} if "sequence" in path else {})
    case = operation.Case(path_parameters=parameters)
    answer = case.call(base_url=served.url, headers={"Authorization": f"Bearer {served.key}"})
    # Neither the one that waits for police nor the one just received was decided yet.
    decided = serial <= 3
    assert answer.status_code == (404 if "sequence" in path and not decided else 200)
    case.validate_response(answer, checks=[CHECKS.get_one("response_schema_conformance")])


@schema.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_answer_that_the_document_does_not_have(case: schemathesis.Case, served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.key}"}
    excluded = [*UNTELLABLE, *WITH_HEADERS.get(case.operation.path, ())]
    case.call_and_validate(base_url=served.url, headers=headers, excluded_checks=excluded)
