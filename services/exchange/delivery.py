"""Sending: messages of one department, by a bounded number of workers that pull, each try with its result.

Workers pull because a thousand tasks waiting on a connection pool are slower than eight that work (``client``).
Nothing a department does raises: whatever happens becomes an ``AttemptResult``.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Sequence, Sized
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import islice

import httpx

from services import tracing
from services.errors import InputError
from services.exchange.client import TIMEOUT, Answer, Client, as_client
from services.exchange.connections import PLAIN, Access
from services.exchange.failures import INTERNAL, UNANSWERED, error_kind
from services.exchange.masking import excerpt
from services.exchange.messages import BATCH_CONTENT_TYPE, CONTENT_TYPE, Message, batch_body, batch_id
from services.exchange.outcomes import Outcome, parse_answer
from services.exchange.passage import Passage
from services.exchange.schedule import Verdict, verdict_of
from services.exchange.signatures import SIGNATURE_HEADER, signature_headers

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """A department's endpoint as a try needs it.

    ``secrets``: the signing keys that hold now, each makes a signature; ``access``: what the connection
    itself needs. ``batch_size`` above 1 sends batches of up to so many
    events; ``concurrency`` is how many requests are out at once; ``timeout`` is seconds for one request, all told.
    """

    department: str
    url: str
    secrets: tuple[str, ...]
    batch_size: int = 1
    concurrency: int = 8
    timeout: float = TIMEOUT
    access: Access = PLAIN

    def __repr__(self) -> str:
        return f"Target({self.department})"


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """One try (推送记录): one request, for one step or for the steps of one batch.

    ``status`` is None when no answer came, and ``error`` then says why (``failures``); ``too-large`` alone goes with
    a status. ``retry_after`` is seconds. ``excerpt`` is at most 500 characters with nobody recognisable in them.
    ``sent_digest`` is the SHA-256 (hex) of the body. A step of the batch that ``outcomes`` does not name is received
    only. ``problem`` says what is wrong with a body that was taken as a mere receipt. ``message_id`` and ``signature``
    are headers as sent, ``event_digests`` of each event alone; ``answer_digest`` is of the answer as far as read.
    """

    step_ids: tuple[str, ...]
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str | None
    retry_after: float | None
    excerpt: str | None
    sent_digest: str
    outcomes: tuple[Outcome, ...]
    verdict: Verdict
    problem: str | None
    message_id: str | None = None
    signature: str | None = None
    event_digests: tuple[str, ...] = ()
    answer_digest: str | None = None


async def deliver(
    client: Client | httpx.AsyncClient,
    target: Target,
    messages: Iterable[Message],
    clock_utc: Callable[[], datetime],
    passage: Passage | None = None,
) -> AsyncGenerator[AttemptResult, None]:
    """Send ``messages``, giving each result as it comes, in no order.

    ``clock_utc`` is wire time, aware. ``passage`` bounds what is out together with other deliveries to the department,
    and may end before all is sent. Wrap the generator in ``contextlib.aclosing``: leaving it early then stops the
    workers, and what was not yet sent is not sent.
    """
    results: asyncio.Queue[AttemptResult | None] = asyncio.Queue()

    async def work() -> None:
        try:
            await send_all(client, target, messages, clock_utc, results.put_nowait, passage)
        finally:
            results.put_nowait(None)

    sending = asyncio.create_task(work())
    try:
        while (result := await results.get()) is not None:
            yield result
        await sending
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def send_all(
    client: Client | httpx.AsyncClient,
    target: Target,
    messages: Iterable[Message],
    clock_utc: Callable[[], datetime],
    took: Callable[[AttemptResult], None],
    passage: Passage | None = None,
) -> None:
    """The same, each result handed to ``took`` at once. Cancelled, it stops the workers."""
    sender = as_client(client)
    groups = _groups(iter(messages), target.batch_size)
    turn = passage.turn if passage is not None else _at_once

    async def work() -> None:
        while True:
            # A message is taken up only once it may go: what is not taken up was never tried.
            async with turn() as may_send:
                group = next(groups, None) if may_send else None
                if group is None:
                    return
                result = await attempt(sender, target, group, clock_utc)
            took(result)

    places = max(1, target.concurrency)
    if isinstance(messages, Sized):
        places = min(places, len(messages))
    workers = [asyncio.create_task(work()) for _ in range(places)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


@asynccontextmanager
async def _at_once() -> AsyncIterator[bool]:
    yield True


def _groups(messages: Iterator[Message], size: int) -> Iterator[tuple[Message, ...]]:
    while group := tuple(islice(messages, max(1, size))):
        yield group


async def attempt(
    client: Client, target: Target, group: Sequence[Message], clock_utc: Callable[[], datetime]
) -> AttemptResult:
    """One try at one group: a single event as such, several (or a target that takes batches) as a batch."""
    ids = tuple(message.step_id for message in group)
    batched = target.batch_size > 1
    body = batch_body(group) if batched else group[0].body
    message_id = batch_id(ids) if batched else ids[0]
    started_at, started = clock_utc(), time.perf_counter()
    headers = signature_headers(message_id, body, target.secrets, started_at)
    headers["content-type"] = BATCH_CONTENT_TYPE if batched else CONTENT_TYPE
    answer: Answer | None = None
    error: str | None = None
    with tracing.sending(target.department, message_id, ids) as trace:
        headers["traceparent"] = trace.traceparent
        try:
            async with asyncio.timeout(target.timeout):
                answer = await client.post(target.url, body, headers)
        except UNANSWERED as failure:
            error = error_kind(failure)
        except Exception as failure:
            # A fault of ours, and not the department's: the others' messages are on their way beside it. Only the
            # kind is logged, since the words of a foreign error may bear anything.
            error = INTERNAL
            _LOG.error("a try at %s ended with %s", target.department, type(failure).__name__)
        trace.answered(answer.status if answer is not None else None, error)
    duration_ms = round((time.perf_counter() - started) * 1000)
    digest = _digest(body)
    signed = (message_id, headers[SIGNATURE_HEADER])
    events = tuple(_digest(message.body) for message in group) if batched else (digest,)
    if answer is None:
        verdict = Verdict.REFUSED if error == "address" else Verdict.RETRY
        return AttemptResult(
            ids, started_at, duration_ms, None, error, None, None, digest, (), verdict, None, *signed, events
        )
    verdict = verdict_of(answer.status)
    outcomes, problem = _read(answer) if verdict is Verdict.RECEIVED else ((), None)
    return AttemptResult(
        ids,
        started_at,
        duration_ms,
        answer.status,
        "too-large" if answer.too_large else None,
        _retry_after(answer.retry_after, started_at),
        excerpt(answer.body, {value for message in group for value in message.redact}),
        digest,
        outcomes,
        verdict,
        problem,
        *signed,
        events,
        _digest(answer.body) if answer.body else None,
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(answer: Answer) -> tuple[tuple[Outcome, ...], str | None]:
    """The outcomes in a 2xx answer. What cannot be read is a receipt all the same: the department has the message."""
    if answer.too_large:
        return (), "body: the answer is too long to be read; report the outcomes by call-back"
    if answer.encoding not in (None, "identity"):
        return (), "body: the answer is compressed, which was not asked for"
    try:
        return parse_answer(answer.body), None
    except InputError as problem:
        return (), str(problem)[:300]


def _retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds from a ``Retry-After`` header, in either of its forms; None if there is none or it cannot be read."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None
