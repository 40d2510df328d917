"""The JSON Schema of a question to the policy engine (contract, section 2), for the OpenAPI document.

The reader in ``services.policy.parsing`` is what judges; a test holds the two together.
"""

from __future__ import annotations

from typing import Any, Final

from services.policy.question import DECLARATIONS, FACTS, GROUNDS, RESIDENCE_DECLARATIONS, SEXES, TERMS

_DAY: Final = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_FLAG: Final = {"type": "boolean"}
_TERM: Final = {"type": "integer", "enum": list(TERMS)}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


_APPLICATION: Final = _object(
    {"received_on": _DAY, "term_years": _TERM},
    {"grounds": {"type": "array", "items": {"type": "string", "enum": list(GROUNDS)}}},
) | {
    "if": {"properties": {"term_years": {"const": 3}}},
    "then": {"required": ["grounds"], "properties": {"grounds": {"minItems": 1}}},
}

QUESTION_SCHEMA: Final[dict[str, Any]] = _object(
    {
        "on": _DAY,
        "application": _APPLICATION,
        "applicant": _object({"born_on": _DAY, "sex": {"type": "string", "enum": list(SEXES)}}),
        "residence": _object({"registered_on": _DAY, **dict.fromkeys(RESIDENCE_DECLARATIONS, _FLAG)}),
    },
    {
        "permit": {
            "anyOf": [_object({"term_years": _TERM, "valid_from": _DAY, "valid_until": _DAY}), {"type": "null"}]
        },
        "children": {"type": "array", "items": _object({"born_on": _DAY})},
        "declared": _object({}, dict.fromkeys(DECLARATIONS, _FLAG)),
        "facts": _object({}, dict.fromkeys(FACTS, _FLAG)),
    },
) | {
    "title": "Question",
    "description": "对政策的一个问题 / one question to the policy: nothing known on a day may lie after it",
    "examples": [
        {
            "on": "2015-11-01",
            "application": {"received_on": "2014-10-08", "term_years": 3, "grounds": ["employment"]},
            "applicant": {"born_on": "1985-03-02", "sex": "female"},
            "residence": {"registered_on": "2014-10-08", "intends_half_year": True, "from_outside_county": True},
            "children": [{"born_on": "2008-05-01"}],
            "facts": {"labour_contract": True, "social_insurance": True},
        }
    ],
}
