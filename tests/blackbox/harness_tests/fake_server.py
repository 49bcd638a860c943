"""A stand-in for `longshore serve`, for the tests of the harness: a node id and /readyz.

`--panic` logs what a panic looks like, `--die` ends before it listens, `--deaf` ignores SIGTERM,
and a GET of /die ends the process.
"""

import argparse
import os
import signal
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    """Answers every GET with 200."""

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        """Says ok, or dies."""
        if self.path == "/die":
            os._exit(3)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--engine")
    for fault in ("--panic", "--die", "--deaf"):
        parser.add_argument(fault, action="store_true")
    args = parser.parse_args()
    if args.die:
        sys.exit("no listening today")
    node_id = args.data_dir / "node-id"
    args.data_dir.mkdir(exist_ok=True)
    if not node_id.exists():
        node_id.write_text(uuid.uuid4().hex)
    on_term = signal.SIG_IGN if args.deaf else lambda *_: os._exit(0)
    signal.signal(signal.SIGTERM, on_term)
    if args.panic:
        print("thread 'main' panicked at src/main.rs:1:1:", flush=True)
    host, _, port = args.listen.partition(":")
    ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
