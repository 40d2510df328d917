"""The words of the entrance, Chinese first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.access.passwords import MAX_LENGTH, MIN_LENGTH
from services.errors import LianbanError
from services.policy.text import Text

REFUSED: Final = Text(
    "用户名与密码不符，或者该账号已停用。", "Name and password do not belong together, or the account is disabled."
)
STALE: Final = Text("登录页面已失效，请重新填写。", "This page was open for too long; fill it in again.")
_PASSWORD: Final[Mapping[str, Text]] = {
    "old": Text("当前密码不正确。", "This is not your present password."),
    "again": Text("两次输入的新密码不一致。", "The two new passwords differ."),
    "password": Text(
        f"新密码须为{MIN_LENGTH}至{MAX_LENGTH}个字符，不得含有用户名，不得过于简单或者与当前密码相同。",
        f"A new password has {MIN_LENGTH} to {MAX_LENGTH} characters, does not contain your name, is not a simple one "
        "and not the present one.",
    ),
}


def TOO_MANY(seconds: int) -> Text:  # noqa: N802 - stands among the words
    """That the next try has to wait."""
    return Text(f"尝试次数过多，请在{seconds}秒后再试。", f"Too many tries; try again in {seconds} seconds.")


def GIVEN(problem: LianbanError) -> Text:  # noqa: N802 - stands among the words
    """What is wrong with a change of password."""
    return _PASSWORD.get(problem.place or "", _PASSWORD["password"])
