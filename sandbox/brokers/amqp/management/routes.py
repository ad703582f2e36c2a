"""Which path and method is answered by what, and who may ask it.

To add a path, write its function beside its like and a line into `TABLE`. The second column is what
a user must be (`access`); `{vhost}` and its like are names that stand in the path, %-encoded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

from sandbox.brokers.amqp.codec import MAX_SHORT_STRING_BYTES
from sandbox.brokers.amqp.errors import AmqpError
from sandbox.brokers.amqp.management import (
    bindings,
    clients,
    definitions,
    exchanges,
    messages,
    overview,
    policies,
    queues,
    users,
    vhosts,
)
from sandbox.brokers.amqp.management.access import (
    ADMINISTRATOR,
    MANAGEMENT,
    MONITORING,
    POLICYMAKER,
    VHOST,
    WHO_ARE_YOU,
    check,
    log_in,
)
from sandbox.brokers.amqp.management.answers import (
    Answer,
    HttpError,
    bad_request,
    from_amqp,
    json_answer,
    missing,
)
from sandbox.brokers.amqp.management.listing import arrange
from sandbox.brokers.amqp.management.request import Request

if TYPE_CHECKING:
    from sandbox.brokers.amqp.management.connection import Connection

Handler = Callable[[Request], Any]

_EXCHANGE_BINDINGS: Final = "/api/exchanges/{vhost}/{exchange}/bindings"
_BETWEEN: Final = "/api/bindings/{vhost}/e/{source}/{kind}/{target}"

# fmt: off
TABLE: Final[tuple[tuple[str, str, str, Handler], ...]] = (
    ("GET", MANAGEMENT, "/api/overview", overview.get_overview),
    ("GET", MANAGEMENT, "/api/whoami", users.whoami),
    ("GET", MANAGEMENT, "/api/cluster-name", overview.get_cluster_name),
    ("PUT", ADMINISTRATOR, "/api/cluster-name", overview.put_cluster_name),
    ("GET", MONITORING, "/api/nodes", overview.get_nodes),
    ("GET", MONITORING, "/api/nodes/{node}", overview.get_node),
    ("GET", MANAGEMENT, "/api/auth", overview.get_auth),
    ("GET", MANAGEMENT, "/api/extensions", overview.nothing),
    ("GET", ADMINISTRATOR, "/api/feature-flags", overview.nothing),

    ("GET", MANAGEMENT, "/api/vhosts", vhosts.get_vhosts),
    ("GET", VHOST, "/api/vhosts/{vhost}", vhosts.get_vhost),
    ("PUT", ADMINISTRATOR, "/api/vhosts/{vhost}", vhosts.put_vhost),
    ("DELETE", ADMINISTRATOR, "/api/vhosts/{vhost}", vhosts.delete_vhost),
    ("POST", ADMINISTRATOR, "/api/vhosts/{vhost}/start/{node}", vhosts.start_vhost),
    ("GET", ADMINISTRATOR, "/api/vhosts/{vhost}/permissions", users.get_vhost_permissions),
    ("GET", ADMINISTRATOR, "/api/vhosts/{vhost}/topic-permissions", users.no_topic_permissions),
    ("GET", VHOST, "/api/vhosts/{vhost}/connections", clients.get_connections),
    ("GET", VHOST, "/api/vhosts/{vhost}/channels", clients.get_channels),
    ("GET", MANAGEMENT, "/api/vhost-limits", vhosts.get_limits),
    ("GET", VHOST, "/api/vhost-limits/{vhost}", vhosts.get_limits),
    ("PUT", ADMINISTRATOR, "/api/vhost-limits/{vhost}/{limit}", vhosts.put_limit),
    ("DELETE", ADMINISTRATOR, "/api/vhost-limits/{vhost}/{limit}", vhosts.delete_limit),

    ("GET", MANAGEMENT, "/api/queues", queues.get_queues),
    ("GET", VHOST, "/api/queues/{vhost}", queues.get_queues),
    ("GET", VHOST, "/api/queues/{vhost}/{queue}", queues.get_queue),
    ("PUT", VHOST, "/api/queues/{vhost}/{queue}", queues.put_queue),
    ("DELETE", VHOST, "/api/queues/{vhost}/{queue}", queues.delete_queue),
    ("GET", VHOST, "/api/queues/{vhost}/{queue}/bindings", bindings.get_queue_bindings),
    ("DELETE", VHOST, "/api/queues/{vhost}/{queue}/contents", queues.purge_queue),
    ("POST", VHOST, "/api/queues/{vhost}/{queue}/get", messages.get),
    ("POST", VHOST, "/api/queues/{vhost}/{queue}/actions", queues.act_on_queue),

    ("GET", MANAGEMENT, "/api/exchanges", exchanges.get_exchanges),
    ("GET", VHOST, "/api/exchanges/{vhost}", exchanges.get_exchanges),
    ("GET", VHOST, "/api/exchanges/{vhost}/{exchange}", exchanges.get_exchange),
    ("PUT", VHOST, "/api/exchanges/{vhost}/{exchange}", exchanges.put_exchange),
    ("DELETE", VHOST, "/api/exchanges/{vhost}/{exchange}", exchanges.delete_exchange),
    ("POST", VHOST, "/api/exchanges/{vhost}/{exchange}/publish", messages.publish),
    ("GET", VHOST, _EXCHANGE_BINDINGS + "/source", bindings.get_exchange_sources),
    ("GET", VHOST, _EXCHANGE_BINDINGS + "/destination", bindings.get_exchange_targets),

    ("GET", MANAGEMENT, "/api/bindings", bindings.get_bindings),
    ("GET", VHOST, "/api/bindings/{vhost}", bindings.get_bindings),
    ("GET", VHOST, _BETWEEN, bindings.get_between),
    ("POST", VHOST, _BETWEEN, bindings.post_binding),
    ("GET", VHOST, _BETWEEN + "/{key}", bindings.get_binding),
    ("DELETE", VHOST, _BETWEEN + "/{key}", bindings.delete_binding),

    ("GET", MANAGEMENT, "/api/connections", clients.get_connections),
    ("GET", MANAGEMENT, "/api/connections/{connection}", clients.get_connection),
    ("DELETE", MANAGEMENT, "/api/connections/{connection}", clients.delete_connection),
    ("GET", MANAGEMENT, "/api/connections/{connection}/channels", clients.get_connection_channels),
    ("GET", MANAGEMENT, "/api/channels", clients.get_channels),
    ("GET", MANAGEMENT, "/api/channels/{channel}", clients.get_channel),
    ("GET", MANAGEMENT, "/api/consumers", clients.get_consumers),
    ("GET", VHOST, "/api/consumers/{vhost}", clients.get_consumers),

    ("GET", ADMINISTRATOR, "/api/users", users.get_users),
    ("GET", ADMINISTRATOR, "/api/users/without-permissions", users.get_users_without_permissions),
    ("POST", ADMINISTRATOR, "/api/users/bulk-delete", users.delete_users),
    ("GET", ADMINISTRATOR, "/api/users/{user}", users.get_user),
    ("PUT", ADMINISTRATOR, "/api/users/{user}", users.put_user),
    ("DELETE", ADMINISTRATOR, "/api/users/{user}", users.delete_user),
    ("GET", ADMINISTRATOR, "/api/users/{user}/permissions", users.get_user_permissions),
    ("GET", ADMINISTRATOR, "/api/users/{user}/topic-permissions", users.no_topic_permissions),
    ("GET", ADMINISTRATOR, "/api/permissions", users.get_permissions),
    ("GET", ADMINISTRATOR, "/api/permissions/{vhost}/{user}", users.get_permission),
    ("PUT", ADMINISTRATOR, "/api/permissions/{vhost}/{user}", users.put_permission),
    ("DELETE", ADMINISTRATOR, "/api/permissions/{vhost}/{user}", users.delete_permission),
    ("GET", ADMINISTRATOR, "/api/topic-permissions", users.no_topic_permissions),
    ("PUT", ADMINISTRATOR, "/api/topic-permissions/{vhost}/{user}", users.put_topic_permission),
    ("GET", ADMINISTRATOR, "/api/user-limits", users.get_limits),
    ("GET", ADMINISTRATOR, "/api/user-limits/{user}", users.get_limits),
    ("PUT", ADMINISTRATOR, "/api/user-limits/{user}/{limit}", users.put_limit),
    ("DELETE", ADMINISTRATOR, "/api/user-limits/{user}/{limit}", users.delete_limit),

    ("GET", MANAGEMENT, "/api/policies", policies.get_policies),
    ("GET", VHOST, "/api/policies/{vhost}", policies.get_policies),
    ("GET", POLICYMAKER, "/api/policies/{vhost}/{policy}", policies.get_policy),
    ("PUT", POLICYMAKER, "/api/policies/{vhost}/{policy}", policies.put_policy),
    ("DELETE", POLICYMAKER, "/api/policies/{vhost}/{policy}", policies.delete_policy),
    ("GET", MANAGEMENT, "/api/operator-policies", overview.nothing),
    ("GET", MANAGEMENT, "/api/parameters", overview.nothing),
    ("GET", MANAGEMENT, "/api/global-parameters", overview.nothing),

    ("GET", ADMINISTRATOR, "/api/definitions", definitions.get_definitions),
    ("POST", ADMINISTRATOR, "/api/definitions", definitions.post_definitions),
    ("GET", POLICYMAKER, "/api/definitions/{vhost}", definitions.get_vhost_definitions),
    ("POST", POLICYMAKER, "/api/definitions/{vhost}", definitions.post_definitions),

    ("GET", VHOST, "/api/aliveness-test/{vhost}", overview.check_aliveness),
    ("GET", MONITORING, "/api/healthchecks/node", overview.well),
    ("GET", MANAGEMENT, "/api/health/checks/alarms", overview.check_alarms),
    ("GET", MANAGEMENT, "/api/health/checks/local-alarms", overview.check_alarms),
    ("GET", MANAGEMENT, "/api/health/checks/virtual-hosts", overview.well),
    ("GET", MANAGEMENT, "/api/health/checks/certificate-expiration/{within}/{unit}", overview.well),
    ("GET", MANAGEMENT, "/api/health/checks/port-listener/{port}", overview.check_port),
    ("GET", MANAGEMENT, "/api/health/checks/protocol-listener/{protocol}", overview.check_protocol),
    ("GET", MANAGEMENT, "/api/health/checks/node-is-mirror-sync-critical", overview.well_alone),
    ("GET", MANAGEMENT, "/api/health/checks/node-is-quorum-critical", overview.well_alone),
)
# fmt: on

_ABOUT: Final = (
    b"This is the management API of a sandbox that behaves as RabbitMQ.\n"
    b"It has no console. Ask for example /api/overview, with a user name and a password.\n"
)


def _by_length() -> Mapping[int, list[tuple[list[str], dict[str, tuple[str, Handler]]]]]:
    paths: dict[str, dict[str, tuple[str, Handler]]] = {}
    for method, needed, path, handler in TABLE:
        paths.setdefault(path, {})[method] = (needed, handler)
    found: dict[int, list[tuple[list[str], dict[str, tuple[str, Handler]]]]] = {}
    for path, methods in paths.items():
        steps = path.split("/")
        found.setdefault(len(steps), []).append((steps, methods))
    return found


_ROUTES: Final = _by_length()


def answer(
    connection: Connection,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    now_ns: int,
) -> Answer:
    """Answer a request, whatever it is."""
    server = connection.server
    try:
        return _answer(connection, method, target, headers, body, now_ns)
    except HttpError as error:
        return error.answer
    except AmqpError as error:
        return from_amqp(error).answer
    finally:
        if method not in ("GET", "HEAD", "OPTIONS") and server.changed is not None:
            server.changed()


def _answer(
    connection: Connection,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    now_ns: int,
) -> Answer:
    path, _, query_text = target.partition("?")
    if path == "/":
        return Answer(200, _ABOUT, (("content-type", "text/plain; charset=utf-8"),))
    methods, names = find(path)
    asked = "GET" if method == "HEAD" else method
    if asked not in methods:
        allowed = ", ".join(["HEAD"] * ("GET" in methods) + [*methods, "OPTIONS"])
        return Answer(200 if method == "OPTIONS" else 405, headers=(("allow", allowed),))
    if "authorization" not in headers:
        return WHO_ARE_YOU
    accounts, broker = connection.server.broker.accounts, connection.server.broker
    user = log_in(accounts, headers["authorization"])
    needed, handler = methods[asked]
    for name in names.values():
        if len(name.encode()) > MAX_SHORT_STRING_BYTES:
            raise bad_request(f"a name is longer than {MAX_SHORT_STRING_BYTES} bytes")
    vhost = names.get("vhost")
    check(accounts, user, needed, vhost, vhost in broker.vhosts)
    if vhost is not None and vhost not in broker.vhosts and needed == VHOST and asked != "GET":
        raise HttpError(404, "not_found", "vhost_not_found")
    query = dict(parse_qsl(query_text, keep_blank_values=True))
    request = Request(connection, user, method, names, query, body, now_ns)
    request.reason = headers.get("x-reason", "")
    result = handler(request)
    return result if isinstance(result, Answer) else json_answer(200, arrange(result, query))


def find(path: str) -> tuple[dict[str, tuple[str, Handler]], dict[str, str]]:
    """What answers a path, by method, and the names that stand in it.

    Raises:
        HttpError: 404.
    """
    steps = path.rstrip("/").split("/")
    for pattern, methods in _ROUTES.get(len(steps), ()):
        names = {}
        for wanted, step in zip(pattern, steps, strict=True):
            if wanted[:1] == "{":
                names[wanted[1:-1]] = unquote(step)
            elif wanted != step:
                break
        else:
            return methods, names
    raise missing()
