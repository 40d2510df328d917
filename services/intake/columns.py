"""The columns of a file of applications: how they are headed, where each value goes, what a clerk is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.errors import InputError
from services.intake import fixture
from services.intake.text import narrow
from services.intake.values import read_children, read_day, read_flag, read_grounds, read_number, read_term


def read_line(text: str) -> str:
    """Text is what it is; its own field of the application judges it."""
    return text


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``path`` is the field of the application it fills, parted by dots.

    ``needed`` columns must stand in the sheet and, where not ``may_be_blank``, be filled in every row.
    """

    title: str
    alias: str
    path: str
    zh: str
    en: str
    example: str
    read: Callable[[str], Any] = read_line
    needed: bool = True
    may_be_blank: bool = False


COLUMNS: Final = (
    Column(
        "申请编号",
        "application_number",
        "application_number",
        "派出所自编的编号，每份申请各不相同；同一编号视为同一份申请",
        "the station's own number, one for each application; the same number is the same application",
        "示例-可删除",
        read_number,
    ),
    Column(
        "受理日期",
        "received_on",
        "received_on",
        "受理申请的日期，如 2014-10-08；决定适用哪一政策",
        "day of receipt, like 2014-10-08; it decides which policy applies",
        "2014-10-08",
        read_day,
    ),
    Column("区县", "district", "district", "区县名称或代码", "district, by name or code", "张店区"),
    Column("派出所", "station", "station", "受理派出所的名称或代码", "police station, by name or code", "科苑派出所"),
    Column("姓名", "name", "person.name", "与身份证一致", "name as on the ID card", "示例"),
    Column(
        "公民身份号码",
        "id_number",
        "person.id_number",
        "18位，按文本填写；核对校验码、出生日期和行政区划",
        "18 characters, as text; checksum, date of birth and region are checked",
        "440524188001010014",
    ),
    Column(
        "手机号码",
        "phone",
        "person.phone",
        "可不填；固定电话亦可，按文本填写",
        "may be blank; any telephone number, as text",
        "13800000000",
        needed=False,
        may_be_blank=True,
    ),
    Column(
        "居住地址",
        "address",
        "person.address",
        "可不填；在本市的居住地址",
        "may be blank; address in the city",
        "柳泉路1号",
        needed=False,
        may_be_blank=True,
    ),
    Column("申领期限", "term_years", "term_years", "1年或3年", "1 or 3 years", "3年", read_term),
    Column(
        "申领情形",
        "grounds",
        "grounds",
        "3年期至少填一种，多种以顿号隔开：就业（劳动合同并参加社会保险）、营业执照、住房（购房或备案租房）、符合落户条件、其他",
        "at least one for 3 years, several parted by 、 or commas: employment (contract and social insurance), "
        "business (licence), housing (bought, or rented and filed), settlement (conditions met), other",
        "就业、住房",
        read_grounds,
        may_be_blank=True,
    ),
    Column(
        "居住登记日期",
        "residence_registered_on",
        "residence.registered_on",
        "在本市首次办理居住登记的日期，居住年限自该日起算",
        "day on which residence was first registered in the city; years of residence count from it",
        "2013-03-01",
        read_day,
    ),
    Column(
        "拟居住半年以上",
        "intends_half_year",
        "residence.intends_half_year",
        "是或否",
        "yes or no: intends to live here for half a year or more",
        "是",
        read_flag,
    ),
    Column(
        "来自本县以外",
        "from_outside_county",
        "residence.from_outside_county",
        "是或否；户籍在居住地所属县（区）以外填“是”",
        "yes or no: the household registration lies outside this county",
        "是",
        read_flag,
    ),
    Column(
        "子女",
        "children",
        "children",
        "可不填；写成“姓名/出生日期/关系/出生或监护证明编号”，关系为子、女或被监护人，证明编号可省略，多名以分号隔开",
        "may be blank; name/date of birth/relation (son, daughter, ward)/number of the birth or guardianship document "
        "(may be left out), several parted by semicolons",
        "示例子/2008-05-01/子",
        read_children,
        needed=False,
        may_be_blank=True,
    ),
    Column(
        "有创业需求",
        "wants_to_start_business",
        "declared.wants_to_start_business",
        "是或否，不填为否",
        "yes or no, no if blank: wants to start a business",
        "否",
        read_flag,
        needed=False,
        may_be_blank=True,
    ),
)
BY_PATH: Final[Mapping[str, Column]] = {column.path: column for column in COLUMNS}
# With fewer known ones than that, the first row is taken for a person's, and nothing of it is repeated.
_HEADINGS_AT_LEAST: Final = 3
# A row whose number begins so shows how the sheet is filled in; it is passed over, since nobody applied.
SAMPLE: Final = "示例"

_FIXTURE_ALIAS = "demo_facts"
_BY_HEADING = {narrow(heading).lower(): column for column in COLUMNS for heading in (column.title, column.alias)}


def is_fixture(heading: str) -> bool:
    """Whether a column holds what the sandbox departments know; importing passes it over."""
    return narrow(heading).lower() in {fixture.COLUMN, _FIXTURE_ALIAS}


def is_sample(number: object) -> bool:
    """Whether an application number marks the template's sample row."""
    return isinstance(number, str) and narrow(number).startswith(SAMPLE)


def column_of(heading: str) -> Column | None:
    """The column that a heading names, in Chinese or English, whatever its width, case and blanks."""
    return _BY_HEADING.get(narrow(heading).lower())


def place_columns(headings: list[str]) -> dict[int, Column | None]:
    """Which column stands at which position; None for the fixture. Blank headings are left out.

    Raises InputError for the first heading that is unknown or stands twice, and for a needed column that is missing.
    """
    if sum(column_of(heading) is not None for heading in headings) < _HEADINGS_AT_LEAST:
        raise InputError(
            "找不到列名：第一行应为列名（见模板），.csv 以英文逗号分隔 / "
            "the headings are missing: they stand in the first row (see the template), in a .csv parted by commas",
            place="列名",
        )
    placed: dict[int, Column | None] = {}
    for position, heading in enumerate(headings):
        if not heading:
            continue
        column = column_of(heading)
        if column is None and not is_fixture(heading):
            raise InputError(
                f"第 {position + 1} 列的列名无法识别，请对照模板 / column {position + 1} has an unknown heading; "
                "compare it with the template",
                place=shown(heading),
            )
        if column in placed.values():
            raise InputError("列名重复 / the column stands twice", place=shown(heading))
        placed[position] = column
    for column in COLUMNS:
        if column.needed and column not in placed.values():
            raise InputError(f"缺少该列 / the column ({column.alias}) is missing", place=column.title)
    return placed


def shown(heading: str) -> str:
    """An unknown heading as an error may show it: short, in one line, and without digits."""
    bare = "".join("*" if char.isdigit() else char for char in heading if char.isprintable())
    return bare if len(bare) <= 20 else bare[:20] + "…"
