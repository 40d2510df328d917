"""The words for people: Chinese first, English second, one catalogue for pages, commands and run names.

Words of the law (services, clauses, settlements, facts) stand in the pack; these are the words of the house.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.policy.text import Text

CASE_WORDS: Mapping[str, Text] = {
    "received": Text("已收件", "received"),
    "accepted": Text("已受理", "accepted"),
    "verifying": Text("核验中", "verifying"),
    "decided": Text("已决定", "decided"),
    "issued": Text("已发证", "issued"),
    "provisioning": Text("开通中", "opening services"),
    "closed": Text("已办结", "closed"),
    "awaiting_applicant": Text("待补正", "awaiting the applicant"),
    "refused": Text("不予发放", "refused"),
    "withdrawn": Text("已撤回", "withdrawn"),
}

STEP_WORDS: Mapping[str, Text] = {
    "due": Text("待推送", "due"),
    "sending": Text("推送中", "sending"),
    "received": Text("已接收", "received"),
    "done": Text("已办结", "done"),
    "declined": Text("未办", "declined"),
    "failed": Text("推送失败", "failed"),
    "held": Text("暂缓", "held"),
    "superseded": Text("已取代", "superseded"),
    "waived": Text("已免办", "waived"),
}

ENTITLEMENT_WORDS: Mapping[str, Text] = {
    "due": Text("应开通", "due"),
    "provisioning": Text("开通中", "being opened"),
    "in_force": Text("已开通", "in force"),
    "withdrawing": Text("停止中", "being withdrawn"),
    "ended": Text("已停止", "ended"),
    "declined": Text("未获开通", "declined"),
}

KIND_WORDS: Mapping[str, Text] = {
    "verification": Text("核验", "verification"),
    "entitlements": Text("权益事项", "services"),
    "permit_issued": Text("发证通知", "permit issued"),
    "permit_ended": Text("居住证终止通知", "permit ended"),
}

PERMIT_WORDS: Mapping[str, Text] = {
    "in_force": Text("有效", "in force"),
    "suspended": Text("暂停", "suspended"),
    "ended": Text("已终止", "ended"),
}

# What a message may bear of a person, in the order in which it stands there.
FIELD_WORDS: Mapping[str, Text] = {
    "name": Text("姓名", "name"),
    "id_number": Text("公民身份号码", "citizen ID number"),
    "sex": Text("性别", "sex"),
    "born_on": Text("出生日期", "day of birth"),
    "phone": Text("联系电话", "telephone"),
    "address": Text("居住地址", "address"),
    "district": Text("居住区县", "district"),
    "residence_registered_on": Text("居住登记日期", "day residence was registered"),
    "children": Text("子女情况", "children"),
}

ENDPOINT_WORDS: Mapping[str, Text] = {
    "draft": Text("待测试", "draft"),
    "open": Text("正常", "open"),
    "held": Text("暂停推送", "held"),
    "probing": Text("试探中", "probing"),
    "closed": Text("已停用", "closed"),
    "maintenance": Text("停机维护", "maintenance"),
}

ROLE_WORDS: Mapping[str, Text] = {
    "clerk": Text("派出所受理人员", "clerk"),
    "officer": Text("部门经办人员", "officer"),
    "coordinator": Text("联席会议协调员", "coordinator"),
    "administrator": Text("系统管理员", "administrator"),
    "auditor": Text("审计人员", "auditor"),
}

CLOCK_WORDS: Mapping[str, Text] = {
    "promised": Text("承诺时限", "promised time"),
    "statutory": Text("法定时限", "statutory time"),
}

NOTICE_WORDS: Mapping[str, Text] = {
    "receipt": Text("受理回执", "receipt"),
    "rights-notice": Text("权益告知书", "rights notice"),
}

DOOR_WORDS: Mapping[str, Text] = {
    "push": Text("接口推送", "push"),
    "poll": Text("部门自取", "poll"),
    "inbox": Text("网页待办", "web inbox"),
}
