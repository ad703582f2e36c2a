"""When there is no RabbitMQ to use, a sentence says so and what to do; the exit status is 2."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.stack.base import StackUnavailable
from sandbox.stack.live.management import Management
from sandbox.stack.live.settings import Settings
from sandbox.stack.live.stack import LiveStack

CLI = "import sys; from sandbox.cli import main; sys.exit(main())"
Answer = Callable[[str], tuple[int, str]]


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def _plugin(answer: Answer) -> Iterator[Settings]:
    """Something on HTTP that answers requests for a path with a status and a text."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = answer(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        do_PUT = do_DELETE = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{listening.server_port}"
        yield Settings("127.0.0.1", _closed_port(), "guest", "guest", url)
        listening.shutdown()
        thread.join()


def _refusal(answer: Answer) -> str:
    with _plugin(answer) as settings, pytest.raises(StackUnavailable) as refusal:
        Management(settings).check()
    return str(refusal.value)


def test_no_plugin_at_all() -> None:
    settings = Settings("127.0.0.1", 5672, "guest", "guest", f"http://127.0.0.1:{_closed_port()}")
    with pytest.raises(StackUnavailable, match="No RabbitMQ management plugin answers"):
        Management(settings).check()


def test_a_refused_password() -> None:
    said = _refusal(lambda path: (401, '{"error":"not_authorised"}'))
    assert "refuses the user 'guest'" in said
    assert "AMQP_URL" in said


def test_a_user_who_is_no_administrator() -> None:
    said = _refusal(lambda path: (200, json.dumps({"tags": ["monitoring"]})))
    assert "may not create virtual hosts" in said
    assert "set_user_tags guest administrator" in said


def test_something_else_that_speaks_http() -> None:
    assert "has no /api/overview" in _refusal(lambda path: (404, "no such page"))
    assert "not as RabbitMQ's" in _refusal(lambda path: (200, "<html>Welcome</html>"))


def test_a_plugin_in_trouble() -> None:
    assert "status 503" in _refusal(lambda path: (503, ""))


def test_tags_are_text_in_old_versions_and_a_list_in_new_ones() -> None:
    for tags in ("administrator", "management,administrator", ["administrator"]):
        answer = json.dumps({"tags": tags, "rabbitmq_version": "3.10.8"})
        with _plugin(lambda path, answer=answer: (200, answer)) as settings:  # type: ignore[misc]
            assert Management(settings).check()["rabbitmq_version"] == "3.10.8"


def test_deleting_what_is_gone_already_is_no_error() -> None:
    with _plugin(lambda path: (404, "{}")) as settings:
        Management(settings).delete_vhost("gone")


def test_no_broker_at_all() -> None:
    settings = Settings("127.0.0.1", _closed_port(), "guest", "guest", "http://127.0.0.1:1")
    with pytest.raises(StackUnavailable, match=r"No RabbitMQ answers at 127\.0\.0\.1:"):
        LiveStack(settings=settings)


def test_a_check_that_cannot_be_made_ends_with_status_2_and_a_sentence(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    outcome = subprocess.run(
        [
            sys.executable,
            "-c",
            CLI,
            "check",
            "acks",
            "--from",
            str(root / "solutions/acks"),
            "--stack",
            "live",
        ],
        env=os.environ
        | {"AMQP_URL": f"amqp://127.0.0.1:{_closed_port()}/", "PYTHONPATH": str(root)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 2, outcome
    assert "No RabbitMQ answers at 127.0.0.1:" in " ".join(outcome.stderr.split())
    assert "Traceback" not in outcome.stderr


@pytest.mark.live
def test_a_password_that_rabbitmq_refuses(rabbitmq_server: Settings) -> None:
    with pytest.raises(StackUnavailable, match="refuses the user 'guest'"):
        LiveStack(settings=replace(rabbitmq_server, password="wrong"))


@pytest.mark.live
def test_a_broker_without_its_management_plugin(rabbitmq_server: Settings) -> None:
    lonely = replace(rabbitmq_server, management_url=f"http://127.0.0.1:{_closed_port()}")
    with pytest.raises(StackUnavailable, match="rabbitmq-plugins enable rabbitmq_management"):
        LiveStack(settings=lonely)
