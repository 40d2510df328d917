"""``lianban serve``: one process of the HTTP door, behind a proxy or alone. Start as many as there are processors."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    *,
    host: Annotated[str, typer.Option(help="监听地址 Address")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="端口 Port")] = 8700,
    trust: Annotated[
        str, typer.Option(help="可信代理地址 Proxies whose X-Forwarded-For and -Proto are believed, by commas")
    ] = "127.0.0.1",
) -> None:
    """启动一个接口进程；可在反向代理之后启动多个。 Starts one process of the HTTP door; several go behind a proxy."""
    # Here, so that other commands do not pay for a web server they do not start.
    import uvicorn  # noqa: PLC0415

    uvicorn.run(
        "api.app:create_app",
        factory=True,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        proxy_headers=True,
        forwarded_allow_ips=trust,
        # Longer than proxies keep a connection, so that none of theirs meets one just dropped.
        timeout_keep_alive=75,
        # Whoever follows changes would keep it from ending for as long as they like.
        timeout_graceful_shutdown=5,
        backlog=512,
    )
