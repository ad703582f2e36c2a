"""RabbitMQ's management plugin over HTTP: the little of it that a run needs.

Virtual hosts cannot be made through AMQP itself, so the live stack needs the plugin. Every way in
which it can be unreachable becomes a sentence that says what to do.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

from sandbox.stack.base import StackUnavailable
from sandbox.stack.live.settings import Settings

TIMEOUT_S = 10.0


class Management:
    """The management interface at `settings.management_url`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        token = base64.b64encode(f"{settings.user}:{settings.password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        # No proxy from the environment: the broker is on this machine or in this room.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def check(self) -> dict[str, Any]:
        """Return the server's overview; the first thing asked of a server.

        Raises:
            StackUnavailable: it cannot be reached, or does not let this user administrate.
        """
        overview = self.request("GET", "/api/overview")
        who = self.request("GET", "/api/whoami")
        tags = who.get("tags", [])
        if "administrator" not in (tags.split(",") if isinstance(tags, str) else tags):
            raise StackUnavailable(
                f"RabbitMQ's user {self._settings.user!r} may not create virtual hosts, and every "
                "live run gets one of its own. Name an administrator in AMQP_URL, or make this "
                f"user one: rabbitmqctl set_user_tags {self._settings.user} administrator"
            )
        result: dict[str, Any] = overview
        return result

    def create_vhost(self, name: str, description: str) -> None:
        """Create a virtual host in which this user may do everything and the firehose is on."""
        path = f"/api/vhosts/{quote(name, safe='')}"
        self.request("PUT", path, {"description": description})
        self.trace(name)
        permissions = {"configure": ".*", "write": ".*", "read": ".*"}
        user = quote(self._settings.user, safe="")
        self.request("PUT", f"/api/permissions/{quote(name, safe='')}/{user}", permissions)

    def trace(self, vhost: str) -> None:
        """Turn the firehose of a virtual host on. Idempotent."""
        self.request("PUT", f"/api/vhosts/{quote(vhost, safe='')}", {"tracing": True})

    def delete_vhost(self, name: str) -> None:
        """Delete a virtual host and all it holds. One that is gone already is no error."""
        self.request("DELETE", f"/api/vhosts/{quote(name, safe='')}", missing_ok=True)

    def vhosts(self) -> list[str]:
        """The names of all virtual hosts."""
        return [entry["name"] for entry in self.request("GET", "/api/vhosts?columns=name")]

    def queue(self, vhost: str, name: str) -> dict[str, Any] | None:
        """What the plugin knows of a queue, or None when there is none.

        Its counts lag by up to five seconds; only the queue's fixed properties are current.
        """
        path = f"/api/queues/{quote(vhost, safe='')}/{quote(name, safe='')}"
        found: dict[str, Any] | None = self.request("GET", path, missing_ok=True)
        return found

    def request(self, method: str, path: str, body: Any = None, *, missing_ok: bool = False) -> Any:
        """Send a request and return the decoded answer (None for an empty one or a tolerated 404).

        Raises:
            StackUnavailable: the plugin is not there, refuses us, or answers with an error.
        """
        url = self._settings.management_url + path
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, self._headers, method=method)
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404 and missing_ok:
                    return None
                raise StackUnavailable(self._refusal(error.code, method, path)) from error
        except (OSError, urllib.error.URLError) as error:
            reason = getattr(error, "reason", error)
            raise StackUnavailable(
                f"No RabbitMQ management plugin answers at {self._settings.management_url} "
                f"({reason}). Start the stack (docker compose up --wait), or enable the plugin on "
                "your own server (rabbitmq-plugins enable rabbitmq_management), or set "
                "RABBITMQ_MANAGEMENT_URL."
            ) from error
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            raise StackUnavailable(
                f"{self._settings.management_url} answers, but not as RabbitMQ's management "
                "plugin does. Set RABBITMQ_MANAGEMENT_URL to the plugin's address."
            ) from error

    def _refusal(self, status: int, method: str, path: str) -> str:
        if status == 401:
            return (
                f"RabbitMQ's management plugin at {self._settings.management_url} refuses the "
                f"user {self._settings.user!r} with the password given. Put the right ones in "
                "AMQP_URL (amqp://user:password@host:5672/). The user guest may log in from the "
                "server's own machine only."
            )
        if status == 404:
            return (
                f"{self._settings.management_url} has no {path.split('?')[0]}: is that RabbitMQ's "
                "management plugin? Set RABBITMQ_MANAGEMENT_URL to its address."
            )
        return f"RabbitMQ's management plugin answered {method} {path} with status {status}."
