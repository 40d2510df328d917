"""The checks, in the order in which they are made; each is one duty of a receiver.

A check asks for what the contract says and no more: whether a receiver does its own work right is its own matter, but
it must take what is ours, refuse what is not, and never be made to do one thing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from services.conformance.judging import Found, all_refused, all_taken, judged
from services.conformance.kit import Answered, Kit, altered, spoilt
from services.exchange.signatures import SIGNATURE_HEADER, new_secret
from services.policy.text import Text

OLD_SECONDS = 600
LARGE_BYTES = 262_144
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Check:
    """One duty: ``code`` for programs, what is asked for people, and how it is tried."""

    code: str
    title: Text
    duty: Text
    run: Callable[[Kit], Awaitable[Found]]


async def _good(kit: Kit) -> Found:
    messages = [kit.message(order) for order in kit.orders()] + [kit.test()]
    return all_taken([await kit.send(message) for message in messages], messages)


async def _bad_signature(kit: Kit) -> Found:
    message = kit.test()
    right = kit.signed(message.step_id, message.body)
    stranger = kit.signed(message.step_id, message.body, keys=(new_secret(),))
    unsigned = {name: value for name, value in right.items() if name != SIGNATURE_HEADER}
    return all_refused(
        await kit.post(message.body, spoilt(right)),
        await kit.post(message.body, stranger),
        await kit.post(altered(message.body), right),
        await kit.post(message.body, right | {"webhook-id": f"{message.step_id}0"}),
        await kit.post(message.body, unsigned),
        await kit.post(message.body, {}),
    )


async def _late(kit: Kit) -> Found:
    message = kit.test()
    return all_refused(await kit.send(message, age=OLD_SECONDS), await kit.send(message, age=-OLD_SECONDS))


async def _rotated(kit: Kit) -> Found:
    message = kit.test()
    right = kit.signed(message.step_id, message.body)
    other = kit.signed(message.step_id, message.body, keys=(new_secret(),))
    both = right | {SIGNATURE_HEADER: f"{other[SIGNATURE_HEADER]} {right[SIGNATURE_HEADER]}"}
    return all_taken([await kit.post(message.body, both)], [message])


async def _duplicate(kit: Kit) -> Found:
    message = kit.message()
    first = await kit.send(message)
    again = await asyncio.gather(*(kit.send(message) for _ in range(_AT_ONCE)))
    found = all_taken([first, *again], [message])
    if found.verdict == "pass" and any(_contradicts(first, answer) for answer in again):
        return judged(good=False, zh="对同一消息先后答复不一致", en="tells another outcome of the same message")
    return found


def _contradicts(first: Answered, again: Answered) -> bool:
    """Whether a repeat tells something else than the first time; telling nothing, or `duplicate`, is as good."""
    if not first.outcomes or not again.outcomes:
        return False
    one, other = first.outcomes[0], again.outcomes[0]
    if other.declined is not None and other.declined.reason == "duplicate":
        return False
    return (one.facts, one.services, one.declined) != (other.facts, other.services, other.declined)


async def _reordered(kit: Kit) -> Found:
    earlier, later = kit.earlier_and_later()
    answers = [await kit.send(later), await kit.send(earlier)]
    before, after = kit.earlier_and_later()
    # The way it happens: the answer to the first was lost, and it is sent again once the second is through.
    first, undone = await kit.send(before), await kit.send(after)
    repeated = await kit.send(before)
    found = all_taken([*answers, first, undone, repeated], [earlier, later, before, after])
    if found.verdict == "pass" and _contradicts(first, repeated):
        return judged(good=False, zh="迟到的重复消息改变了结果", en="a repeat that came late changed the outcome")
    return found


async def _batch(kit: Kit) -> Found:
    if kit.batch < 2:
        return Found("not-run", "未启用批量接收", "the receiver takes no batches")
    messages = [kit.message() for _ in range(kit.batch)]
    whole = await kit.send_batch(messages)
    # One that was sent before, in another company: each event has its own key, whatever batch it comes in.
    mixed = [messages[0], kit.test()]
    return all_taken([whole, await kit.send_batch(mixed), await kit.send_batch(messages[:1])], [*messages, *mixed])


async def _large(kit: Kit) -> Found:
    message = kit.large(LARGE_BYTES)
    return all_taken([await kit.send(message)], [message])


async def _slow(kit: Kit) -> Found:
    slow, quick = kit.message(), kit.test()
    under_way = asyncio.create_task(kit.send_slowly(slow))
    await asyncio.sleep(kit.slow_seconds / 4)
    beside = await kit.send(quick)
    blocked = under_way.done() or beside.ms > kit.slow_seconds * 500
    found = all_taken([await under_way, beside], [slow, quick])
    if found.verdict == "pass" and blocked:
        return judged(
            good=False, zh="接收慢消息时不能同时接收其他消息", en="takes no other message while one comes in slowly"
        )
    return found


async def _still_well(kit: Kit) -> Found:
    message = kit.message()
    return all_taken([await kit.send(message)], [message])


async def _in_time(kit: Kit) -> Found:
    times = sorted(answer.ms for answer in kit.answered if answer.taken)
    if not times:
        return judged(good=False, zh="没有一条消息被接收", en="no message was taken")
    half, worst = times[len(times) // 2], times[-1]
    good = worst <= kit.slow_seconds * 1000 + 5_000
    return judged(
        good=good,
        zh=f"{len(times)} 次，中位 {half} 毫秒，最慢 {worst} 毫秒",
        en=f"{len(times)}, median {half} ms, worst {worst} ms",
    )


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        "good",
        Text("正常消息", "Good messages"),
        Text("各类消息和测试消息均以 2xx 接收", "Takes every type of message, and a test event, with 2xx"),
        _good,
    ),
    Check(
        "bad-signature",
        Text("签名错误", "Bad signatures"),
        Text(
            "签名错误、他人签名、内容或编号被改、无签名的，均以 4xx 拒收",
            "Refuses with 4xx what is wrongly signed, signed by another, altered, or not signed",
        ),
        _bad_signature,
    ),
    Check(
        "late",
        Text("时间不符", "Late messages"),
        Text("签名时间相差五分钟以上的以 4xx 拒收", "Refuses with 4xx what was signed more than five minutes away"),
        _late,
    ),
    Check(
        "rotated",
        Text("密钥更换", "Rotated secrets"),
        Text("多个签名中有一个正确即接收", "Takes a message with several signatures of which one fits"),
        _rotated,
    ),
    Check(
        "duplicate",
        Text("重复消息", "Duplicates"),
        Text(
            "同一消息再次或者同时到达，仍以 2xx 接收，结果不变",
            "Takes a repeat, even at once, with 2xx and no other outcome",
        ),
        _duplicate,
    ),
    Check(
        "reordered",
        Text("次序颠倒", "Reordered messages"),
        Text(
            "先后颠倒、迟到重发的消息均以 2xx 接收，结果不变",
            "Takes messages out of order; one that comes again late changes nothing",
        ),
        _reordered,
    ),
    Check(
        "batch",
        Text("批量消息", "Batches"),
        Text("一次接收多条，按每条编号去重", "Takes several events in one call, each with its own key"),
        _batch,
    ),
    Check(
        "large",
        Text("大消息", "Large messages"),
        Text(f"接收 {LARGE_BYTES // 1024} KB 的消息", f"Takes a message of {LARGE_BYTES // 1024} KB"),
        _large,
    ),
    Check(
        "slow",
        Text("慢消息", "Slow messages"),
        Text("内容缓慢到达的照常接收，同时不影响其他消息", "Takes a body that comes in slowly, and others beside it"),
        _slow,
    ),
    Check(
        "still-well",
        Text("拒收之后", "After refusals"),
        Text("经过以上各项仍正常接收", "Still takes a good message after all of the above"),
        _still_well,
    ),
    Check(
        "in-time",
        Text("应答时间", "Time to answer"),
        Text("收妥即答，五秒以内", "Answers within five seconds of having the message"),
        _in_time,
    ),
)


async def run_checks(kit: Kit, told: Callable[[Check, Found], None] = lambda *_: None) -> list[tuple[Check, Found]]:
    """Make every check in turn; ``told`` hears of each as it is made."""
    made = []
    for check in CHECKS:
        found = await check.run(kit)
        made.append((check, found))
        told(check, found)
    return made
