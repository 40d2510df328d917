// A receiver for messages from Lianban (联办) to start from. Needs Node 18 or newer, and: npm install
//
//     LIANBAN_SECRET=whsec_... node receiver.js                   takes messages on port 8080
//     LIANBAN_SECRET=whsec_... node receiver.js report STEP FILE  reports the outcome in FILE (JSON) of a step
//
// Every message becomes one file in the folder `inbox`, named by its step: your own system works through them. The file
// is written before the answer is given, and a message that comes again finds its file: nothing is lost, nothing doubled.

import { randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, unlink } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";

// While a secret is being changed there are two, the new one first: separate them by a blank.
const keys = process.env.LIANBAN_SECRET.trim().split(/\s+/).map((secret) => new Webhook(secret));
const inbox = process.env.LIANBAN_INBOX ?? "inbox";
const port = Number(process.env.LIANBAN_PORT ?? 8080);
const LARGEST = 8_000_000;

// Whether one of our keys signed these very bytes within the last five minutes.
function verified(body, headers) {
  return keys.some((key) => {
    try {
      key.verify(body, headers);
      return true;
    } catch {
      return false;
    }
  });
}

// Write one event into the inbox, once and for all.
async function keep(event) {
  if (event.specversion !== "1.0" || !/^[0-9A-Za-z-]{1,80}$/.test(event.id)) throw new TypeError("no proper event");
  if (event.data.case === null) return; // A test of the endpoint: there is nothing to do.
  const draft = join(inbox, `.${randomUUID()}`);
  const file = await open(draft, "wx");
  try {
    await file.writeFile(JSON.stringify(event));
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, join(inbox, `${event.id}.json`));
  } catch (problem) {
    if (problem.code !== "EEXIST") throw problem; // It came before: a repeat changes nothing.
  } finally {
    await unlink(draft);
  }
}

async function take(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST) return 413;
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString("utf8");
  if (!verified(body, request.headers)) return 401;
  let events;
  try {
    events = JSON.parse(body);
    if (!(request.headers["content-type"] ?? "").startsWith("application/cloudevents-batch+json")) {
      if (events.id !== request.headers["webhook-id"]) return 400;
      events = [events];
    }
    for (const event of events) await keep(event);
  } catch (problem) {
    if (problem instanceof TypeError || problem instanceof SyntaxError) return 400;
    throw problem;
  }
  return 202; // Received. The outcome is reported when the work is done.
}

// Report an outcome, for example {"facts": {"labour_contract": true}, "authority": "..."}, signed as we are.
async function report(step, file) {
  const { data } = JSON.parse(await readFile(join(inbox, `${step}.json`), "utf8"));
  const outcome = { step, ...JSON.parse(await readFile(file, "utf8")) };
  const body = JSON.stringify({ outcomes: [outcome] });
  const id = `outcome-${randomUUID()}`;
  const now = new Date();
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
    "webhook-signature": keys[0].sign(id, now, body),
  };
  const answer = await fetch(data.callback, { method: "POST", headers, body, redirect: "error" });
  console.log(answer.status, await answer.text());
  if (!answer.ok) process.exitCode = 1;
}

if (process.argv[2] === "report") {
  await report(process.argv[3], process.argv[4]);
} else {
  await mkdir(inbox, { recursive: true });
  createServer(async (request, response) => {
    let status;
    try {
      status = request.method === "POST" ? await take(request) : 405;
    } catch {
      status = 500; // The message is not kept, so it is sent again.
    }
    // What was not read would be taken for the next request.
    response.writeHead(status, status === 413 ? { "content-length": 0, connection: "close" } : { "content-length": 0 });
    response.end();
  }).listen(port);
}
