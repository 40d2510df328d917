from __future__ import annotations

from datetime import date

import typer
from typer.testing import CliRunner

from api.commands.template import template
from services.intake.divisions import Districts
from services.intake.rows import read_applications
from services.policy.registry import default_registry

app = typer.Typer()
app.command()(template)


def test_the_template_is_written_where_it_is_asked_for(tmp_path):
    result = CliRunner().invoke(app, [str(tmp_path / "申请.xlsx")])
    assert result.exit_code == 0, result.output
    assert "申请.xlsx" in result.output
    names = {code: name.zh for code, name in default_registry().packs[-1].districts.items()}
    path = tmp_path / "申请.xlsx"
    assert list(read_applications(path, districts=Districts(names), today=date(2014, 11, 3))) == []
