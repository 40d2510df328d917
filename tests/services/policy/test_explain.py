"""Words for answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from services.policy.decide import decide
from services.policy.explain import (
    OUTCOME_WORDS,
    STATE_WORDS,
    explain_code,
    explain_entitlement,
    explain_permit,
)
from services.policy.question import Question

ON = date(2015, 6, 1)
ASKED = Question(
    on=ON,
    received_on=date(2015, 5, 20),
    term_years=3,
    grounds=("business",),
    born_on=date(1985, 3, 2),
    sex="male",
    registered_on=date(2015, 1, 1),
    intends_half_year=True,
    from_outside_county=True,
    facts={"identity_matches": True, "residence_registered": True, "business_licence": True},
)


def words(pack, question, service):
    return explain_entitlement(pack, decide(pack, question).entitlements[service], question.on)


def test_what_is_due_is_told_with_its_days_and_department(pack):
    said = words(pack, ASKED, "ZB87-3.1.6a")
    assert said.zh == "法律服务（三（一）6，司法局）：可享有，自2015年6月1日起至2018年5月31日止。"
    assert said.en == "legal services (三（一）6, Justice Bureau): granted, from 2015-06-01 to 2018-05-31."


def test_what_is_unknown_names_who_has_to_answer(pack):
    said = words(pack, ASKED, "ZB87-3.1.5b")
    assert "等待住房公积金管理中心：连续正常缴存住房公积金12个月以上" in said.zh
    assert "waiting for Housing Provident Fund Management Centre" in said.en


def test_what_is_unmet_names_what_it_asks(pack):
    assert "须妇女" in words(pack, ASKED, "ZB87-3.2.3b").zh
    one_year = replace(ASKED, term_years=1, grounds=())
    assert "须持有3年期居住证且居住满1年" in words(pack, one_year, "ZB87-3.2.3d").zh
    assert "从" not in words(pack, replace(ASKED, intends_half_year=False), "ZB87-3.1.6a").zh
    assert "拟在居住地居住半年以上" in words(pack, replace(ASKED, intends_half_year=False), "ZB87-3.1.6a").zh


def test_the_permit_is_told_with_its_reasons(pack):
    fallen_back = replace(ASKED, facts={**ASKED.facts, "business_licence": False})
    said = explain_permit(pack, decide(pack, fallen_back), ON)
    assert said.zh.startswith("准予发证：1年期，自2015年6月1日起至2016年5月31日止。依据：")
    assert "改发1年期并说明理由" in said.zh
    waiting = explain_permit(pack, decide(pack, replace(ASKED, facts={})), ON)
    assert waiting.zh.startswith("等待核验：公安局：身份信息相符、已办理居住登记；工商局：已取得工商营业执照。")
    nothing = replace(ASKED, received_on=date(2014, 1, 1))
    assert "不在任何有效政策的施行期内" in explain_permit(None, decide(None, nothing), ON).zh


def test_a_code_of_another_day_is_shown_as_it_is(pack):
    assert explain_code(pack, "A99") == ("A99", "A99")
    assert explain_code(pack, "ZB87-2.3b").zh == "二（三）：已租赁房屋并持有房屋租赁登记备案证明"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_answer_can_be_put_into_words(data, questions, pack):
    question = data.draw(questions())
    decision = decide(pack, question)
    assert decision.permit.outcome in OUTCOME_WORDS
    known = pack if decision.policy else None
    assert all("ZB87" not in text and len(text) > 4 for text in explain_permit(known, decision, question.on))
    for entitlement in decision.entitlements.values():
        said = explain_entitlement(pack, entitlement, question.on)
        assert STATE_WORDS[entitlement.state].zh in said.zh
        assert said.en.isprintable()
