"""`infrascan mcp`."""

from __future__ import annotations

import argparse
import sys

from infrascan.store.home import home


def serve(options: argparse.Namespace) -> int:
    """Serve agents until the client ends (stdio) or a signal comes (http)."""
    where = home()
    if options.transport == "stdio":
        from infrascan.mcp_server.tools import run_stdio

        run_stdio(where)
        return 0
    from infrascan.mcp_server.http import run_http

    def starting() -> None:
        print(f"infrascan: MCP on http://{options.listen}/mcp (Ctrl-C ends)", file=sys.stderr)

    run_http(where, options.listen, options.token_file, starting)
    return 0
