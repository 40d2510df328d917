"""A receiver for messages from Lianban (联办) to start from. Needs: pip install standardwebhooks cloudevents

    LIANBAN_SECRET=whsec_... python receiver.py                   takes messages on port 8080
    LIANBAN_SECRET=whsec_... python receiver.py report STEP FILE  reports the outcome in FILE (JSON) of a step

Every message becomes one file in the folder ``inbox``, named by its step: your own system works through them. The file
is written before the answer is given, and a message that comes again finds its file: nothing is lost, nothing doubled.
"""

import datetime
import json
import os
import re
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

from cloudevents.core.formats.json import JSONFormat
from standardwebhooks import Webhook, WebhookVerificationError

# While a secret is being changed there are two, the new one first: separate them by a blank.
KEYS = [Webhook(secret) for secret in os.environ["LIANBAN_SECRET"].split()]
INBOX = Path(os.environ.get("LIANBAN_INBOX", "inbox"))
PORT = int(os.environ.get("LIANBAN_PORT", "8080"))
LARGEST = 8_000_000
STEP = re.compile(r"[0-9A-Za-z-]{1,80}")


def verified(body, headers):
    """Whether one of our keys signed these very bytes within the last five minutes."""
    for key in KEYS:
        try:
            key.verify(body, headers, json_parse=False)
            return True
        except (WebhookVerificationError, ValueError):
            continue
    return False


def keep(event):
    """Write one event into the inbox, once and for all."""
    parsed = JSONFormat().read(None, json.dumps(event))
    step, data = parsed.get_id(), parsed.get_data()
    if not STEP.fullmatch(step):
        raise ValueError("no proper id")
    if data["case"] is None:
        return  # A test of the endpoint: there is nothing to do.
    draft = INBOX / f".{uuid.uuid4().hex}"
    with draft.open("w", encoding="utf-8") as out:
        json.dump(event, out, ensure_ascii=False)
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, INBOX / f"{step}.json")
    except FileExistsError:
        pass  # It came before: a repeat changes nothing.
    finally:
        draft.unlink()


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_POST(self):
        try:
            length = int(self.headers["content-length"])
        except (TypeError, ValueError):
            return self.answer(411)
        if not 0 <= length <= LARGEST:
            return self.answer(413)
        body = self.rfile.read(length)
        if not verified(body, dict(self.headers.items())):
            return self.answer(401)
        try:
            event = json.loads(body)
            if self.headers["content-type"].startswith("application/cloudevents-batch+json"):
                for one in event:
                    keep(one)
            elif event["id"] == self.headers["webhook-id"]:
                keep(event)
            else:
                return self.answer(400)
        except (KeyError, TypeError, ValueError):
            return self.answer(400)
        return self.answer(202)  # Received. The outcome is reported when the work is done.

    def answer(self, status):
        if status in (411, 413):
            self.close_connection = True  # What was not read would be taken for the next request.
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass  # Nothing of a message belongs in a log.


def report(step, file):
    """Report an outcome, for example {"facts": {"labour_contract": true}, "authority": "..."}, signed as we are."""
    data = json.loads((INBOX / f"{step}.json").read_text(encoding="utf-8"))["data"]
    outcome = {"step": step, **json.loads(Path(file).read_text(encoding="utf-8"))}
    body = json.dumps({"outcomes": [outcome]}, ensure_ascii=False)
    message_id, now = f"outcome-{uuid.uuid4().hex}", datetime.datetime.now(datetime.timezone.utc)
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": KEYS[0].sign(message_id, now, body),
    }
    with urlopen(Request(data["callback"], body.encode(), headers), timeout=30) as answer:
        print(answer.status, answer.read().decode())


if __name__ == "__main__":
    if sys.argv[1:2] == ["report"]:
        report(sys.argv[2], sys.argv[3])
    else:
        INBOX.mkdir(parents=True, exist_ok=True)
        ThreadingHTTPServer(("0.0.0.0", PORT), Receiver).serve_forever()
