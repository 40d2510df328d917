"""The left navigation: which pages there are, in which order. Who sees an entry, the access matrix says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from api.console.catalogue import said
from services.access import Caller


@dataclass(frozen=True, slots=True)
class Entry:
    """One page: the name of its route in the matrix, its address, and what it is called (Chinese, translated late).

    ``icon`` names a symbol of ``icons.html``.
    """

    name: str
    path: str
    title: str
    icon: str


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that belong together."""

    title: str
    entries: tuple[Entry, ...]


GROUPS: tuple[Group, ...] = (
    Group(
        said("总览"),
        (Entry("page_overview", "/console/overview", said("全局总览"), "overview"),),
    ),
    Group(
        said("办件"),
        (
            Entry("page_desk", "/console/desk", said("待办事项"), "desk"),
            Entry("page_window", "/console/window", said("受理申请"), "window"),
            Entry("page_cases", "/console/cases", said("办件查询"), "cases"),
        ),
    ),
    Group(
        said("运行"),
        (
            Entry("page_flows", "/console/flows", said("流程运行"), "flows"),
            Entry("page_endpoints", "/console/endpoints", said("部门接口"), "plug"),
            Entry("page_cards", "/console/cards", said("红黄牌"), "clock"),
            Entry("page_incidents", "/console/incidents", said("异常"), "incidents"),
            Entry("page_retries", "/console/retries", said("重新推送"), "retries"),
            Entry("page_remedies", "/console/remedies", said("处置"), "remedies"),
        ),
    ),
    Group(
        said("联席会议"),
        (
            Entry("page_meetings", "/console/meetings", said("会议"), "meeting"),
            Entry("page_matters", "/console/matters", said("议题"), "incidents"),
            Entry("page_resolutions", "/console/resolutions", said("议定事项"), "remedies"),
            Entry("page_what_if", "/console/what-if", said("方案测算"), "policy"),
        ),
    ),
    Group(
        said("督办"),
        (
            Entry("page_appraisal", "/console/appraisal", said("部门考核"), "scores"),
            Entry("page_limits", "/console/limits", said("时限与日历"), "clock"),
            Entry("page_forecast", "/console/forecast", said("预测"), "forecast"),
            Entry("page_public", "/console/public", said("办理情况公示"), "public"),
        ),
    ),
    Group(
        said("政策"),
        (Entry("page_policies", "/console/policy", said("政策与承办"), "policy"),),
    ),
    Group(
        said("系统"),
        (
            Entry("page_accounts", "/console/accounts", said("人员账号"), "people"),
            Entry("page_keys", "/console/keys", said("访问密钥"), "keys"),
        ),
    ),
)


def may_open(caller: Caller, name: str) -> bool:
    """Whether ``caller`` may open the route ``name``."""
    # Late, because the guard answers with pages, which have a navigation.
    from api.access import MATRIX, Open, sees_enough  # noqa: PLC0415

    rule = MATRIX.get(name)
    return rule is not None and (isinstance(rule, Open) or (caller.role in rule and sees_enough(caller, name)))


def groups_for(caller: Caller) -> Iterator[Group]:
    """The navigation of one caller: groups with at least one page that is theirs to open."""
    for group in GROUPS:
        mine = tuple(entry for entry in group.entries if may_open(caller, entry.name))
        if mine:
            yield Group(group.title, mine)


def home_of(caller: Caller) -> str:
    """The address of the first page of ``caller``'s navigation."""
    return next(iter(groups_for(caller))).entries[0].path
