"""The departments of the peers' benchmark: a server so lean that it is never what limits an engine.

    python -m benchmarks.peers.departments --port 9000

asyncio and httptools, no framework, nothing stored. ``POST /departments/<code>/webhook`` answers the CloudEvents of
Lianban, one or a batch, with outcomes that confirm everything; any other POST is answered as a plain department of the
other engines would: ``{"ok": true}``. A process takes some 20,000 requests a second.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from typing import Any, cast

import httptools
import orjson

_PLAIN = b'{"ok":true}'
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


def outcome(event: dict[str, Any]) -> dict[str, Any]:
    """What a department that confirms everything says about one event."""
    data = event["data"]
    if "facts" in data:
        return {"step": event["id"], "facts": dict.fromkeys(data["facts"], True), "authority": "benchmark"}
    services = {one["service"]: {"state": "in_force", "from": one["from"]} for one in data.get("open", ())}
    services |= {one["service"]: {"state": "ended"} for one in data.get("withdraw", ())}
    return {"step": event["id"], "services": services} if services else {"step": event["id"], "received": True}


def answer(path: bytes, body: bytes) -> bytes:
    """The body of the answer to one POST."""
    if not path.startswith(b"/departments/"):
        return _PLAIN
    events = orjson.loads(body)
    return orjson.dumps({"outcomes": [outcome(one) for one in (events if isinstance(events, list) else [events])]})


class Connection(asyncio.Protocol):
    """One connection, kept open; requests are answered in order."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to parse."""
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)
        self._path, self._body = b"", bytearray()

    def data_received(self, data: bytes) -> None:
        """Hand on what came; whoever speaks no HTTP is hung up on."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_message_begin(self) -> None:
        """A new request."""
        self._path, self._body = b"", bytearray()

    def on_url(self, url: bytes) -> None:
        """The path, perhaps in pieces."""
        self._path += url

    def on_body(self, body: bytes) -> None:
        """The body, perhaps in pieces."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer."""
        said = answer(self._path, bytes(self._body))
        self._transport.write(_HEAD % len(said) + said)


async def serve(port: int) -> None:
    """Serve on the loopback until cancelled; several processes may share the port."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(("127.0.0.1", port))
    server = await asyncio.get_running_loop().create_server(Connection, sock=listening, backlog=1024)
    await server.serve_forever()


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
