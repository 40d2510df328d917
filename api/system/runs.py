"""Prefect as a coordinator sees it: what runs, what is next, what is late, what failed, which workers are alive.

Asked by its HTTP API, with little patience, once for all who look within a few seconds. Where Prefect does not answer
the reader is told so, and what the ledger knows is shown all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from services.errors import UnavailableError
from services.policy.text import Text

_PATIENCE: Final = 2.5
_KEPT_SECONDS: Final = 2.0
_POOL: Final = "lianban"
_RECENT: Final = timedelta(days=7)
_FAILED: Final = ("FAILED", "CRASHED")

# What each flow does, for people; its name is the program's.
FLOWS: Final[Mapping[str, Text]] = {
    "dispatch": Text("调度", "dispatcher"),
    "issue_permits": Text("办理居住证", "issue permits"),
    "deliver_due": Text("推送到期事项", "deliver what is due"),
    "reconcile": Text("逐日核对", "daily reconciliation"),
    "check_endpoints": Text("接口每日检查", "daily check of endpoints"),
    "forecast": Text("时限预测", "forecast"),
    "publish": Text("公示", "publicity"),
    "check_live_endpoints": Text("接口每日检查", "daily check of endpoints"),
    "retain": Text("留存期限清理", "retention"),
    "supervise": Text("时限监督", "supervision"),
    "prepare_meeting": Text("准备会议", "prepare the meeting"),
}


STATES: Final[Mapping[str, Text]] = {
    "SCHEDULED": Text("待运行", "scheduled"),
    "PENDING": Text("启动中", "starting"),
    "RUNNING": Text("运行中", "running"),
    "COMPLETED": Text("已完成", "completed"),
    "FAILED": Text("失败", "failed"),
    "CRASHED": Text("意外中断", "crashed"),
    "CANCELLED": Text("已取消", "cancelled"),
    "CANCELLING": Text("正在取消", "being cancelled"),
    "PAUSED": Text("已暂停", "paused"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One flow run. ``cases``: those it was given, by number; ``trouble``: what Prefect says of a failure."""

    id: str
    flow: str
    name: str
    state: str
    state_name: str
    expected_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    cases: tuple[str, ...]
    trouble: str | None
    deployment: str | None

    @property
    def words(self) -> Text:
        """What its flow is called."""
        return FLOWS.get(self.flow, Text(self.flow, self.flow))

    @property
    def state_words(self) -> Text:
        """Where it stands."""
        return STATES.get(self.state, Text(self.state_name, self.state_name))


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that runs flows; ``alive``: Prefect heard of it lately."""

    name: str
    alive: bool
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class Deployment:
    """A flow that can be started; ``paused``: its schedule is stopped by somebody."""

    id: str
    name: str
    flow: str
    paused: bool
    description: str

    @property
    def words(self) -> Text:
        """What its flow is called."""
        return FLOWS.get(self.flow, Text(self.flow, self.flow))


@dataclass(frozen=True, slots=True)
class Machine:
    """Prefect at one moment. ``late``: runs that should have begun; ``failed``: of the last seven days."""

    running: tuple[Run, ...]
    next: tuple[Run, ...]
    late: tuple[Run, ...]
    failed: tuple[Run, ...]
    workers: tuple[Worker, ...]
    deployments: tuple[Deployment, ...]


class Runs:
    """Prefect's runs, kept for a moment. ``client`` stays the caller's."""

    def __init__(self, client: httpx.AsyncClient, api_url: str) -> None:
        self._client = client
        self._url = api_url.rstrip("/")
        self._asking = asyncio.Lock()
        self._kept: tuple[float, Machine] | None = None

    @property
    def pages_url(self) -> str:
        """Where Prefect's own pages are."""
        return self._url.removesuffix("/api")

    async def machine(self, now: datetime) -> Machine:
        """The whole, at most a few seconds old. UnavailableError where Prefect does not answer."""
        async with self._asking:
            clock = asyncio.get_running_loop().time
            if self._kept is None or clock() - self._kept[0] > _KEPT_SECONDS:
                self._kept = (clock(), await self._ask(now))
            return self._kept[1]

    async def named(self, ids: Sequence[str]) -> dict[str, Run]:
        """The runs of these ids, by id; those that Prefect has forgotten are not among them."""
        if not ids:
            return {}
        flows = await self._flows()
        wanted = {"flow_runs": {"id": {"any_": list(ids)}}}
        return {run.id: run for run in await self._runs(wanted, "START_TIME_DESC", len(ids), flows)}

    async def again(self, run: str) -> str:
        """Start a flow anew with what the run was given; the new run's id. Every flow is safe to run twice."""
        old = await self._post("GET", f"/flow_runs/{run}")
        flows, deployments = await self._flows(), await self._deployments()
        flow = flows.get(old["flow_id"], "")
        target = next((one for one in deployments if one.flow == flow), None)
        if target is None:
            raise UnavailableError("its flow has no deployment; run `lianban keep`", place="Prefect")
        # A lease of the failed run is over; the new one takes the cases by itself.
        parameters = {name: value for name, value in (old.get("parameters") or {}).items() if name != "lease"}
        body = {"state": {"type": "SCHEDULED"}, "parameters": parameters}
        self._kept = None
        return str((await self._post("POST", f"/deployments/{target.id}/create_flow_run", body))["id"])

    async def _ask(self, now: datetime) -> Machine:
        flows = await self._flows()
        ours = {"flows": {"id": {"any_": list(flows)}}}
        since = {"flow_runs": {"start_time": {"after_": (now - _RECENT).isoformat()}}}

        def states(*types: str) -> dict[str, Any]:
            return {"state": {"type": {"any_": list(types)}}}

        running, expected, failed, workers, deployments = await asyncio.gather(
            self._runs({**ours, "flow_runs": states("RUNNING", "PENDING")}, "START_TIME_DESC", 100, flows),
            self._runs({**ours, "flow_runs": states("SCHEDULED")}, "EXPECTED_START_TIME_ASC", 60, flows),
            self._runs({**ours, "flow_runs": states(*_FAILED) | since["flow_runs"]}, "START_TIME_DESC", 50, flows),
            self._post("POST", f"/work_pools/{_POOL}/workers/filter", {"limit": 50}, none=[]),
            self._deployments(flows),
        )
        first: dict[str, Run] = {}
        for run in expected:
            if run.state_name != "Late":
                first.setdefault(run.flow, run)
        return Machine(
            running=running,
            next=tuple(first.values()),
            late=tuple(run for run in expected if run.state_name == "Late"),
            failed=failed,
            workers=tuple(
                Worker(one["name"], one.get("status") == "ONLINE", _instant(one.get("last_heartbeat_time")))
                for one in workers
            ),
            deployments=deployments,
        )

    async def _flows(self) -> dict[str, str]:
        return {one["id"]: one["name"] for one in await self._post("POST", "/flows/filter", {"limit": 100})}

    async def _deployments(self, flows: Mapping[str, str] | None = None) -> tuple[Deployment, ...]:
        names = flows if flows is not None else await self._flows()
        found = await self._post("POST", "/deployments/filter", {"limit": 100})
        return tuple(
            Deployment(
                one["id"], one["name"], names.get(one["flow_id"], ""), bool(one.get("paused")),
                one.get("description") or "",
            )
            for one in found
        )  # fmt: skip

    async def _runs(
        self, wanted: Mapping[str, Any], sort: str, limit: int, flows: Mapping[str, str]
    ) -> tuple[Run, ...]:
        found = await self._post("POST", "/flow_runs/filter", {**wanted, "sort": sort, "limit": limit})
        return tuple(_run(one, flows) for one in found)

    async def _post(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, none: Sequence[Any] | None = None
    ) -> Any:
        try:
            answer = await self._client.request(method, f"{self._url}{path}", json=body, timeout=_PATIENCE)
            if answer.status_code == 404 and none is not None:
                return none
            answer.raise_for_status()
            parsed = answer.json()
        except (httpx.HTTPError, ValueError) as problem:
            raise UnavailableError(f"does not answer ({type(problem).__name__})", place="Prefect") from problem
        if not isinstance(parsed, list | dict):
            raise UnavailableError("does not answer as Prefect does", place="Prefect")
        return parsed


def _run(one: Mapping[str, Any], flows: Mapping[str, str]) -> Run:
    state, parameters = one.get("state") or {}, one.get("parameters") or {}
    failed = one.get("state_type") in _FAILED
    return Run(
        id=one["id"],
        flow=flows.get(one["flow_id"], ""),
        name=one["name"],
        state=one.get("state_type") or "",
        state_name=one.get("state_name") or "",
        expected_at=_instant(one.get("expected_start_time")),
        started_at=_instant(one.get("start_time")),
        ended_at=_instant(one.get("end_time")),
        cases=tuple(str(number) for number in parameters.get("case_ids") or ()),
        trouble=(state.get("message") or "")[:300] or None if failed else None,
        deployment=one.get("deployment_id"),
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
