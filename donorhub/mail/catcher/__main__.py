"""Run the catcher: SMTP on one port, its pages on another, until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import threading
from pathlib import Path

from werkzeug.serving import make_server

from donorhub.mail.catcher.behaviour import Conduct
from donorhub.mail.catcher.smtp import listen
from donorhub.mail.catcher.store import Store
from donorhub.mail.catcher.web import create_app


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m donorhub.mail.catcher", description=__doc__)
    parser.add_argument("--smtp-port", type=int, default=8003, help="where letters come in")
    parser.add_argument("--web-port", type=int, default=8002, help="where they are shown")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument(
        "--store", type=Path, default=Path("instance/letters.db"), help="where they are kept"
    )
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    store, conduct = Store(arguments.store), Conduct()
    smtp = await listen(store, conduct, host=arguments.host, port=arguments.smtp_port)
    app = create_app(store, conduct, host=arguments.host)
    web = make_server(arguments.host, arguments.web_port, app, threaded=True)
    threading.Thread(target=web.serve_forever, name="catcher-web", daemon=True).start()
    print(f"Mail catcher: http://{arguments.host}:{arguments.web_port}/", flush=True)  # noqa: T201
    await stop.wait()
    smtp.close()
    web.shutdown()
    store.close()


def main() -> None:
    """Read the command line and serve."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    asyncio.run(_serve(_arguments()))


if __name__ == "__main__":
    main()
