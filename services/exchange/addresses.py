"""The address guard: where a department's endpoint may be, judged when it is registered and again at every connection.

Whoever registers an address makes this service call it, with persons' fields, from inside the closed network. So it
must not lead into our own machines: by its name, by what its name resolves to, or by what it resolves to later.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from urllib.parse import SplitResult, urlsplit

from services.errors import InputError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = (443, 8443)
MAX_URL = 500
_PLACE = "endpoint.url"
_WEB = frozenset({80, 443})
_FIRST_FREE = 1024
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Threads of their own, more than there are departments: a look-up hangs as long as that department's name server does,
# and in the few threads that an event loop has for everything it would hold up all others.
_LOOKING_UP = ThreadPoolExecutor(64, thread_name_prefix="look-up")


class AddressRefusedError(OSError):
    """An address that must not be called; ``str`` says why. An OSError, as what cannot be connected to is."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be called: public addresses by https on ``ports``; what ``intranet`` names by http too, on 80, 443 and
    every port from 1024. ``only_intranet``: nothing else, as for http.
    """

    intranet: tuple[Network, ...] = ()
    ports: tuple[int, ...] = PORTS
    only_intranet: bool = False

    @classmethod
    def of(cls, intranet: Iterable[str], ports: Iterable[int] = PORTS) -> Guard:
        """A guard from networks as text (``10.0.0.0/8``, ``127.0.0.1``); InputError for what is none."""
        networks: list[Network] = []
        for text in intranet:
            try:
                networks.append(ipaddress.ip_network(text))
            except ValueError:
                raise InputError("is no network; write 10.1.0.0/16 or one address", place="intranet") from None
        return cls(tuple(networks), tuple(ports))

    def of_scheme(self, scheme: str) -> Guard:
        """The guard of connections by ``scheme``: without TLS only the intranet is in reach."""
        return self if scheme == "https" else Guard(self.intranet, self.ports, only_intranet=True)

    def check_address(self, host: str, port: int) -> None:
        """AddressRefusedError unless the address ``host`` (as text) may be called on ``port``."""
        address = _plain(ipaddress.ip_address(host.partition("%")[0]))
        if any(address in network for network in self.intranet):
            if port not in _WEB and port < _FIRST_FREE:
                raise AddressRefusedError(f"port {port} is for other services; use 80, 443 or one from {_FIRST_FREE}")
            return
        kind = _kind(address)
        if kind is not None:
            raise AddressRefusedError(f"leads to {kind} that the intranet list (LIANBAN_INTRANET) does not name")
        if self.only_intranet:
            raise AddressRefusedError("is not in the intranet list (LIANBAN_INTRANET), so it needs https")
        if port not in self.ports:
            allowed = ", ".join(map(str, self.ports))
            raise AddressRefusedError(f"port {port} is not one of those that may be called ({allowed})")

    def check_url(self, url: str) -> str:
        """The scheme of ``url``; AddressRefusedError if it can be told from the URL alone that it may not be called."""
        parts = _parts(url)
        host = parts.hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return parts.scheme
        self.of_scheme(parts.scheme).check_address(host, _port(parts))
        return parts.scheme

    async def check(self, url: str, place: str = _PLACE) -> None:
        """Resolve the host of ``url`` and judge every address it has; InputError with the reason."""
        try:
            guard = self.of_scheme(self.check_url(url))
            parts = _parts(url)
            host, port = parts.hostname or "", _port(parts)
            try:
                found = await look_up(host, port)
            except OSError:
                raise AddressRefusedError("has a host name that does not resolve") from None
            for _, address in found:
                guard.check_address(address, port)
        except AddressRefusedError as refused:
            raise InputError(str(refused), place=place) from None


async def look_up(
    host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
) -> list[tuple[socket.AddressFamily, str]]:
    """The addresses of ``host`` as the system knows them, each with its family; OSError if it has none."""
    ask = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
    try:
        found = await asyncio.get_running_loop().run_in_executor(_LOOKING_UP, ask)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "is no host name") from None
    return [(family_, str(address[0])) for family_, *_, address in found]


@lru_cache(maxsize=1024)
def _parts(url: str) -> SplitResult:
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefusedError(f"must be at most {MAX_URL} ASCII characters, without blanks")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefusedError("is no URL") from None
    if parts.scheme not in ("https", "http"):
        raise AddressRefusedError("must begin with https:// (http:// within the intranet only)")
    if not parts.hostname or port == 0:
        raise AddressRefusedError("names no host")
    if parts.username is not None or parts.password is not None:
        raise AddressRefusedError("must bear no user name and no password; use OAuth2 or a client certificate")
    if parts.fragment:
        raise AddressRefusedError("must have no fragment (#)")
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one only wraps."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _kind(address: Address) -> str | None:
    """What kind of address is not to be called, None for a public one."""
    if address.is_loopback:
        return "this machine"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast or address.is_unspecified or address.is_reserved:
        return "a multicast or reserved address"
    return None if address.is_global else "a private address"
