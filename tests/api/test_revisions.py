"""Revisions of the policy at the HTTP door: tried, asked for, decided by a second person, seen."""

from __future__ import annotations

from typing import Any

from models import Role
from services.house import House
from tests.api.conftest import Knock, SignIn

ROOT = "/api/v1"
PATH = f"{ROOT}/revisions"
AMENDMENT = {
    "pack": "zibo-2014-87",
    "from_on": "2014-12-01",
    "basis": "居住证工作联席会议纪要〔2014〕2号",
    "reason": "联席会议议定",
    "changes": [{"kind": "parameter", "parameter": "elderly-age", "value": 60}],
}


async def test_an_amendment_from_trial_to_force(house: House, sign_in: SignIn) -> None:
    wang, li = await sign_in(Role.COORDINATOR, name="wang"), await sign_in(Role.COORDINATOR, name="li")
    by_wang, by_li = {"x-csrf-token": wang.csrf}, {"x-csrf-token": li.csrf}
    tried = (await wang.post(f"{ROOT}/amendments/preview", json=AMENDMENT, headers=by_wang)).json()
    assert (tried["permits"], tried["affected"], tried["from_on"]) == (0, 0, "2014-12-01")
    assert {"place": "parameters[elderly-age].value", "before": 65, "after": 60} in tried["differences"]
    assert (await wang.get(PATH)).json() == {"items": [], "before": None}
    asked = await wang.post(f"{ROOT}/amendments", json=AMENDMENT, headers=by_wang)
    assert (asked.status_code, asked.json()["state"]) == (201, "proposed")
    own = await wang.post(f"{PATH}/1/approve", json={}, headers=by_wang)
    assert (own.status_code, own.json()["code"]) == (403, "needs-a-second-person")
    done = await li.post(f"{PATH}/1/approve", json={"because": "同意"}, headers=by_li)
    assert done.json() == {
        "id": 1, "state": "adopted", "pack": "zibo-2014-87", "from_on": "2014-12-01", "version": 2,
    }  # fmt: skip
    assert (await li.post(f"{PATH}/1/approve", json={}, headers=by_li)).status_code == 409
    shown = (await wang.get(f"{PATH}/1")).json()
    assert (shown["revision"]["in_force"], shown["revision"]["decided_by"]) == (False, "coordinator:li")
    assert shown["content"] == {"changes": AMENDMENT["changes"]}
    policy = (await wang.get("/api/v1/policies/zibo-2014-87@2")).json()
    assert policy["digest"] == shown["revision"]["digest"] == tried["digest"]
    assert (await wang.get("/api/v1/policies/zibo-2014-87")).json()["digest"] != policy["digest"]
    del house


async def test_what_does_not_hold_is_told_with_its_place(knock: Knock) -> None:
    client = await knock(Role.ADMINISTRATOR)

    async def refused(**changes: Any) -> tuple[int, str]:
        answer = await client.post(f"{ROOT}/amendments", json=AMENDMENT | changes)
        told = answer.json()
        return answer.status_code, told["errors"][0][
            "field"
        ] if "errors" in told else f"{told['place']} {told['detail']}"

    assert await refused(from_on="2014-11-03") == (
        422, "from_on 2014-11-03 has begun; a revision holds from a day to come on",
    )  # fmt: skip
    assert (await refused(changes=[]))[0] == 422
    assert await refused(changes=[{"kind": "parameter", "parameter": "x", "value": 1}]) == (
        422, "changes.0.parameters the pack has no x among its parameters",
    )  # fmt: skip
    assert (await refused(changes=[{"kind": "magic"}]))[0] == 422
    assert (await refused(pack="atlantis"))[0] == 404
    assert (await refused(basis="身份证 11010519491231002X"))[0] == 422
    whole = {"content": {"code": "x"}, "basis": "文件", "reason": "试"}
    for path in ("adoptions", "adoptions/preview"):
        answer = await client.post(f"{ROOT}/{path}", json=whole)
        assert answer.status_code == 422
    assert (await client.get(PATH)).json()["items"] == []


async def test_rules_are_the_whole_citys(knock: Knock) -> None:
    part = await knock(Role.COORDINATOR, "370303")
    for answer in (
        await part.get(PATH), await part.get(f"{PATH}/1"), await part.post(f"{ROOT}/amendments", json=AMENDMENT),
        await part.post(f"{ROOT}/amendments/preview", json=AMENDMENT), await part.post(f"{PATH}/1/approve", json={}),
    ):  # fmt: skip
        assert answer.status_code == 403
