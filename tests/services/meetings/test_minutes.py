"""Minutes: drafted from what was written down, signed off by another, never changed after that; and the document."""

from __future__ import annotations

import io
from datetime import date

import pytest
from docx import Document
from docx.oxml.ns import qn
from sqlalchemy import update

from models import Minutes
from services.access import Caller
from services.database import table
from services.errors import AccessError, ConflictError, InputError, NotFoundError
from services.house import House
from services.meetings.document import _numeral
from services.meetings.handling import put_forward
from services.meetings.minutes import draft_minutes, minutes_file, read_minutes, sign_minutes
from services.meetings.sitting import attend, close_sitting
from tests.services.meetings.conftest import Resolve, Sit, officer


@pytest.fixture
async def held(house: House, sit: Sit, resolve: Resolve, office: Caller) -> int:
    """A meeting that is over, with two matters, of which one was settled."""
    first = await put_forward(house, officer("education"), "education", "学位不足 <急>")
    await put_forward(house, officer("finance"), "finance", "经费分担")
    meeting = await sit()
    await attend(house, office, meeting, "education", present=True, delegate="副局长")
    await attend(house, office, meeting, "finance", present=True)
    await resolve(meeting, first, text="新增学位 200 个", department="education", helpers=["finance"],
                  due_on=date(2015, 8, 31))  # fmt: skip
    await close_sitting(house, office, meeting)
    return meeting


def _paragraphs(document: bytes) -> list[str]:
    return [one.text for one in Document(io.BytesIO(document)).paragraphs if one.text]


async def test_minutes_say_who_was_there_and_what_was_settled(house: House, held: int, office: Caller) -> None:
    await draft_minutes(house, office, held)
    name, document = await minutes_file(house, held)
    said = _paragraphs(document)
    assert name == "纪要-2014-1-v1-draft.docx"
    assert said[:2] == ["居住证工作联席会议纪要", "〔2014〕1号"]
    assert "时    间：2014年11月11日上午09:30" in said
    assert "主    持：副市长" in said
    assert "出    席：教育局（副局长）、财政局" in said
    assert any(line.startswith("未 到 会：宣传部、") for line in said)
    assert "一、学位不足 <急>" in said
    assert "（1）新增学位 200 个（责任单位：教育局；配合单位：财政局；时限：2015年8月31日）" in said
    assert said[said.index("二、经费分担") + 1 :][-2] == "顺延至下次会议。"
    assert said[-1].startswith("印发范围：宣传部、综治办、")
    founts = {
        fount.get(qn("w:eastAsia"))
        for fount in Document(io.BytesIO(document)).element.body.iter(qn("w:rFonts"))
        if fount.get(qn("w:eastAsia"))
    }
    assert {"方正小标宋简体", "仿宋_GB2312", "黑体"} <= founts


async def test_a_signed_version_stands_and_a_correction_is_the_next(
    house: House, held: int, office: Caller, second: Caller
) -> None:
    assert await draft_minutes(house, office, held) == 1
    assert await draft_minutes(house, office, held) == 1
    draft = await read_minutes(house, held)
    with pytest.raises(AccessError, match="second person"):
        await sign_minutes(house, office, held, 1, draft.digest)
    with pytest.raises(ConflictError, match="drafted anew"):
        await sign_minutes(house, second, held, 1, "0" * 64)
    await sign_minutes(house, second, held, 1, draft.digest)
    _, signed = await minutes_file(house, held, 1)
    with pytest.raises(ConflictError):
        await sign_minutes(house, second, held, 1, draft.digest)
    with pytest.raises(InputError, match="corrects"):
        await draft_minutes(house, office, held)
    assert await draft_minutes(house, office, held, "责任单位更正") == 2
    await sign_minutes(house, second, held, 2, (await read_minutes(house, held)).digest)
    assert await minutes_file(house, held, 1) == ("纪要-2014-1-v1.docx", signed)
    corrected = _paragraphs((await minutes_file(house, held))[1])
    assert "（第2版，更正：责任单位更正）" in corrected


async def test_minutes_that_were_altered_are_told(house: House, held: int, office: Caller) -> None:
    await draft_minutes(house, office, held)
    assert (await read_minutes(house, held)).holds
    rows = table(Minutes)
    content = (await read_minutes(house, held)).content | {"chair": "他人"}
    async with house.database.write("test") as transaction:
        await transaction.connection.execute(update(rows).values(content=content))
    assert not (await read_minutes(house, held)).holds


async def test_nothing_is_settled_any_more_once_they_are_signed(
    house: House, held: int, office: Caller, second: Caller, resolve: Resolve
) -> None:
    await draft_minutes(house, office, held)
    await sign_minutes(house, second, held, 1, (await read_minutes(house, held)).digest)
    with pytest.raises(ConflictError, match="signed"):
        await resolve(held, 1)


async def test_there_are_none_before_the_sitting_is_closed(house: House, sit: Sit, office: Caller) -> None:
    meeting = await sit()
    with pytest.raises(ConflictError):
        await draft_minutes(house, office, meeting)
    with pytest.raises(NotFoundError):
        await read_minutes(house, meeting)


@pytest.mark.parametrize(
    ("number", "numeral"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (21, "二十一"), (99, "九十九")]
)
def test_numerals_of_official_papers(number: int, numeral: str) -> None:
    assert _numeral(number) == numeral
