"""The report that a department hands in (验收报告): Markdown for people, canonical JSON for programs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import rfc8785

from services.clock import CHINA
from services.conformance.checks import Check
from services.conformance.judging import Found

FORMAT = "lianban-conformance/1"
_WORDS = {"pass": "通过 pass", "fail": "未通过 fail", "not-run": "未测 not run"}


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found. ``url`` is without user, query and fragment, which may hold secrets."""

    url: str
    department: str
    department_name: str
    at: datetime
    version: str
    pack: str
    made: Sequence[tuple[Check, Found]]

    @property
    def conforms(self) -> bool:
        """Whether nothing that was tried failed."""
        return all(found.verdict != "fail" for _, found in self.made)

    def to_json(self) -> bytes:
        """The report as canonical JSON (RFC 8785) and a line feed."""
        content: dict[str, Any] = {
            "format": FORMAT,
            "url": self.url,
            "department": self.department,
            "at": self.at.isoformat(timespec="seconds"),
            "version": self.version,
            "pack": self.pack,
            "conforms": self.conforms,
            "checks": [
                {
                    "code": check.code,
                    "verdict": found.verdict,
                    "duty": {"zh": check.duty.zh, "en": check.duty.en},
                    "found": {"zh": found.zh, "en": found.en},
                }
                for check, found in self.made
            ],
        }
        return rfc8785.dumps(content) + b"\n"

    def to_markdown(self) -> str:
        """The report as a page, with the digest of the JSON that goes with it."""
        verdict = "符合要求 conforms" if self.conforms else "不符合要求 does not conform"
        rows = [
            f"| {number} | {check.title.zh} {check.title.en} | {check.duty.zh}。{check.duty.en}. "
            f"| **{_WORDS[found.verdict]}** | {_cell(found.zh)} {_cell(found.en)} |"
            for number, (check, found) in enumerate(self.made, start=1)
        ]
        head = [
            "# 消息接口验收报告 Conformance report",
            "",
            f"- 部门 Department: {self.department_name} ({self.department})",
            f"- 接收地址 URL: `{self.url}`",
            f"- 时间 At: {self.at.astimezone(CHINA):%Y-%m-%d %H:%M:%S} (UTC+8)",
            f"- 系统版本 Version: {self.version}；政策包 Policy pack: {self.pack}",
            f"- **结论 Verdict: {verdict}**",
            "",
            "| 序号 | 项目 Check | 要求 Duty | 结果 | 实测 Found |",
            "|---|---|---|---|---|",
        ]
        digest = hashlib.sha256(self.to_json()).hexdigest()
        return "\n".join([*head, *rows, "", f"附件 JSON，SHA-256: `{digest}`", ""])


def shown_url(url: str) -> str:
    """``url`` without what may be secret in it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
