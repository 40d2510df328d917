"""Accounts, sessions and keys as they are answered. Passwords and secrets stand in the answer that made them, only."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.views.words import View
from models import Role


class Account(View):
    """账号 / a person's account."""

    name: str
    role: Role
    scope: str | None = Field(description="区县或部门代码；空为全市 / district or department; null: the whole city")
    station: str | None = Field(description="派出所 / a clerk's station")
    created_at: datetime
    disabled_at: datetime | None
    password_is_initial: bool = Field(description="尚未修改初始密码 / the first password was not changed yet")


class AccountList(View):
    """账号，按用户名 / accounts by name."""

    items: list[Account]


class NewAccount(View):
    """新建的账号，初始密码只显示一次 / a new account; its first password is shown once."""

    account: Account
    password: str


class NewPassword(View):
    """新的初始密码，只显示一次 / a new first password, shown once."""

    password: str


class Ended(View):
    """结束了几处登录 / how many sessions were ended."""

    sessions: int


class Unlocked(View):
    """是否曾被锁定 / whether it was braked."""

    was_locked: bool


class SessionItem(View):
    """一处登录 / where a person is signed in."""

    id: str
    source: str = Field(description="网络地址 / network address")
    agent: str = Field(description="浏览器 / what the browser calls itself")
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class SessionList(View):
    """当前登录 / sessions that stand, the one used last first."""

    items: list[SessionItem]


class Key(View):
    """访问密钥 / an access key, without its secret."""

    id: str
    name: str
    role: Role
    scope: str | None
    station: str | None
    operations: list[str] | None = Field(description="仅限这些操作 / the operations it is for; null: all of its role")
    owner: str | None = Field(description="所属账号 / the account it acts for")
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None = Field(description="最近使用，精确到数分钟 / last used, right to some minutes")


class KeyList(View):
    """密钥，按名称 / keys by name, the newest of a name first."""

    items: list[Key]


class NewKey(View):
    """新建的密钥，只显示一次 / a new key, shown once."""

    secret: str


class Revoked(View):
    """吊销了几个 / how many keys were revoked."""

    keys: int
