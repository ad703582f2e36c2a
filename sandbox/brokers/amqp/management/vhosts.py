"""Virtual hosts, and the limits that can be put on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp import administration, limits
from sandbox.brokers.amqp.handshake import NODE
from sandbox.brokers.amqp.management import figures
from sandbox.brokers.amqp.management.access import is_monitor
from sandbox.brokers.amqp.management.answers import (
    CREATED,
    NO_CONTENT,
    Answer,
    bad_request,
    missing,
)
from sandbox.brokers.amqp.management.request import Request, boolean
from sandbox.brokers.amqp.permissions import Permission

if TYPE_CHECKING:
    from sandbox.brokers.amqp.broker import Broker
    from sandbox.brokers.amqp.counts import Counts
    from sandbox.brokers.amqp.vhost import VirtualHost


def get_vhosts(request: Request) -> Any:
    """The virtual hosts that the user may see, by name."""
    if is_monitor(request.user):
        visible = [vhost for _, vhost in sorted(request.broker.vhosts.items())]
    else:
        visible = request.vhosts()
    return [vhost_shape(request.broker, vhost) for vhost in visible]


def get_vhost(request: Request) -> Any:
    """One virtual host."""
    return vhost_shape(request.broker, request.vhost())


def put_vhost(request: Request) -> Answer:
    """Make a virtual host, in which whoever makes it may do everything; or change what is said."""
    name, body, broker = request.names["vhost"], request.body(), request.broker
    existed = name in broker.vhosts
    tags = body.get("tags")
    request.acts()
    administration.set_vhost(
        broker,
        name,
        description=str(body.get("description", "")),
        tags=as_tags("" if tags is None else tags),
        tracing=boolean(body, "tracing") if "tracing" in body else None,
    )
    if existed:
        return NO_CONTENT
    if not request.accounts.is_unrestricted(request.user.name):
        administration.set_permission(broker, request.user.name, name, Permission())
    return CREATED


def delete_vhost(request: Request) -> Answer:
    """Delete a virtual host with all it holds."""
    request.acts()
    administration.delete_vhost(request.broker, request.vhost().name, request.now_ns)
    return NO_CONTENT


def start_vhost(request: Request) -> Answer:
    """Start a virtual host: it runs already."""
    request.vhost()
    if request.names["node"] != NODE:
        raise missing()
    return NO_CONTENT


def get_limits(request: Request) -> Any:
    """What is limited in virtual hosts."""
    found = request.vhosts()
    return [{"vhost": v.name, "value": dict(v.limits)} for v in found if v.limits]


def put_limit(request: Request) -> Answer:
    """Limit a virtual host."""
    vhost = request.vhost()
    value = limit_value(request, limits.OF_VHOSTS)
    administration.set_limit(request.broker, vhost, request.names["limit"], value)
    return NO_CONTENT


def delete_limit(request: Request) -> Answer:
    """Take a limit away."""
    administration.set_limit(request.broker, request.vhost(), request.names["limit"], None)
    return NO_CONTENT


def limit_value(request: Request, known: tuple[str, ...]) -> int:
    """The number in a request about a limit.

    Raises:
        HttpError: 400, there is no such limit, or it is no number.
    """
    name, value = request.names["limit"], request.body("value")["value"]
    if name not in known:
        text = f'Unrecognised terms [{{<<"{name}">>,{value}}}] in limits'
        raise bad_request(f"Validation failed\n\n{text}\n")
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_request(f"Validation failed\n\n{name} should be an integer\n")
    return value


def as_tags(value: Any) -> tuple[str, ...]:
    """Tags, which come as a list or separated by commas."""
    words = value if isinstance(value, list) else str(value).split(",")
    return tuple(str(word).strip() for word in words if str(word).strip())


def totals(vhost: VirtualHost) -> dict[str, int]:
    """How many messages there are."""
    ready = sum(queue.ready_count for queue in vhost.queues.values())
    unacked = sum(queue.unacked_count for queue in vhost.queues.values())
    return {
        "messages": ready + unacked,
        "messages_ready": ready,
        "messages_unacknowledged": unacked,
    }


def all_counts(broker: Broker, vhost: VirtualHost) -> Counts:
    """What happened in a virtual host: in its queues, those that are gone, and open channels."""
    counts = type(vhost.counts)()
    counts.add(vhost.counts)
    for queue in vhost.queues.values():
        counts.add(queue.counts)
    # A message counts once, however many queues it went to.
    counts.publish = vhost.published
    for connection in broker.connections:
        if connection.opened_vhost is vhost:
            counts.confirm += sum(c.confirms.last_tag for c in connection.channels.values())
    return counts


def vhost_shape(broker: Broker, vhost: VirtualHost) -> dict[str, Any]:
    """What there is to say of a virtual host."""
    tags = list(vhost.tags)
    shape = {
        "name": vhost.name,
        "description": vhost.description,
        "tags": tags,
        "default_queue_type": "undefined",
        "metadata": {"description": vhost.description, "tags": tags},
        "tracing": vhost.tracing,
        "cluster_state": {NODE: "running"},
        **figures.with_rates(totals(vhost)),
    }
    stats = figures.of_vhost(all_counts(broker, vhost))
    if stats:
        shape["message_stats"] = stats
    return shape
