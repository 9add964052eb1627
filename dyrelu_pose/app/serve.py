"""Serves the page on this machine, and leaves nothing behind."""

import ipaddress
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from threading import Event
from typing import TYPE_CHECKING

from packaging.version import Version

from dyrelu_pose.errors import UserError

if TYPE_CHECKING:
    from .models import PageModel

OLDEST, TOO_NEW = "6.31", "7"  # of Gradio: what the page was tried with
VISITORS = 32  # whose pictures are kept in memory


def check_gradio() -> None:
    """Raise a `UserError` that says what to install, unless there is a Gradio that fits."""
    needed = f'pip install "gradio>={OLDEST},<{TOO_NEW}"'
    try:
        found = version("gradio")
    except PackageNotFoundError:
        raise UserError(f"the page needs Gradio, an optional package: {needed}") from None
    if not Version(OLDEST) <= Version(found) < Version(TOO_NEW):
        raise UserError(f"the page does not work with Gradio {found}: {needed}")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server at a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"


def serve(models: Sequence["PageModel"], host: str, port: int | None, max_upload: int) -> None:
    """Serve the page until SIGINT or SIGTERM.

    Args:
        models: The models, the first one shown first.
        host: Address to listen at.
        port: Its port; by default the first free one from 7860.
        max_upload: Size of the largest file that is taken, MB.

    Raises:
        UserError: The address cannot be used.
        KeyboardInterrupt: From SIGINT, as ever.
    """
    if not is_loopback(host):
        print(
            f"warning: whoever reaches {host} can use this page, which asks for no password",
            file=sys.stderr,
        )
    with own_folder(), stopped_by_sigterm() as stop:
        from .page import CSS, Page, theme

        blocks = Page(models).blocks
        try:
            blocks.launch(
                server_name=host, server_port=port, max_file_size=f"{max_upload}mb",
                share=False, mcp_server=False, ssr_mode=False, pwa=False, run_history=False,
                enable_monitoring=False, footer_links=[], theme=theme(), css=CSS,
                state_session_capacity=VISITORS, prevent_thread_lock=True, quiet=True,
            )  # fmt: skip
        except (OSError, OverflowError) as error:
            where = host if port is None else f"{host}, port {port}"
            raise UserError(
                f"the page cannot listen at {where}: it is taken, or no address of this machine; "
                "see --host and --port"
            ) from error
        try:
            print(f"{blocks.local_url} (Ctrl-C stops it)", flush=True)
            stop.wait()
        finally:
            blocks.close(verbose=False)


@contextmanager
def own_folder() -> Iterator[None]:
    """Let Gradio keep its files in a folder that is removed in the end, and call nobody."""
    with tempfile.TemporaryDirectory(prefix="dyrelu_pose_", ignore_cleanup_errors=True) as folder:
        settings = dict(GRADIO_TEMP_DIR=folder, GRADIO_ANALYTICS_ENABLED="False")
        before = {key: os.environ.get(key) for key in settings}
        os.environ.update(settings)
        try:
            yield
        finally:
            for key, value in before.items():
                if value is None:
                    del os.environ[key]
                else:
                    os.environ[key] = value


@contextmanager
def stopped_by_sigterm() -> Iterator[Event]:
    """Yield an event that SIGTERM sets, which would else end the process at once."""
    stop = Event()
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)
