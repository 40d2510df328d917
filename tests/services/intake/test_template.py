from __future__ import annotations

import re
import zipfile

import pytest
from python_calamine import CalamineWorkbook

from services.errors import InputError
from services.intake.columns import COLUMNS
from services.intake.rows import read_applications
from services.intake.template import write_template


@pytest.fixture
def template(tmp_path, districts):
    path = tmp_path / "模板.xlsx"
    write_template(path, districts)
    return path


def test_the_empty_template_imports_to_nothing(template, districts, today):
    assert list(read_applications(template, districts=districts, today=today)) == []


def test_its_headings_are_the_columns(template):
    rows = CalamineWorkbook.from_path(str(template)).get_sheet_by_name("申请").to_python()
    assert rows[0] == [column.title for column in COLUMNS]


def test_its_sample_is_a_good_application_but_for_its_number(template, districts, today, csv_of):
    rows = CalamineWorkbook.from_path(str(template)).get_sheet_by_name("申请").to_python()
    sample = dict(zip(rows[0], map(str, rows[1]), strict=True)) | {"申请编号": "A-1"}
    (row,) = read_applications(csv_of(sample), districts=districts, today=today)
    assert row.problems == ()


def test_every_column_is_explained_in_both_languages(template):
    rows = CalamineWorkbook.from_path(str(template)).get_sheet_by_name("填表说明").to_python()
    assert [row[0] for row in rows[1:]] == [column.title for column in COLUMNS]
    assert all(cell for row in rows for cell in row)


def test_what_is_chosen_from_a_list_can_be(template, districts):
    with zipfile.ZipFile(template) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    lists = re.findall(r"<formula1>&quot;(.*?)&quot;</formula1>|<formula1>\"(.*?)\"</formula1>", sheet)
    choices = {found[0] or found[1] for found in lists}
    assert choices == {",".join(districts.names.values()), "1年,3年", "是,否"}


def test_id_numbers_are_typed_as_text(template):
    """Excel keeps fifteen digits of a number, and all of a text."""
    with zipfile.ZipFile(template) as archive:
        styles = archive.read("xl/styles.xml").decode()
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    columns = {int(style) for style in re.findall(r'<col [^>]*style="(\d+)"', sheet)}
    formats = re.findall(r"<xf ([^>]*)>", styles.partition("<cellXfs")[2])
    assert columns
    assert all('numFmtId="49"' in formats[style] for style in columns)


def test_a_sheet_that_may_be_filled_in_is_not_written_over(template, districts):
    with pytest.raises(InputError, match="已存在"):
        write_template(template, districts)


@pytest.mark.parametrize("name", ["a.csv", "a", "none/a.xlsx"])
def test_a_name_that_will_not_do_is_refused(tmp_path, districts, name):
    with pytest.raises(InputError):
        write_template(tmp_path / name, districts)
