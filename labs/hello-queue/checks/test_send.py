"""What must be true of `send`: orders arrive, in order, letter for letter, and nothing piles up."""

import pytest


def test_an_order_waits_until_somebody_asks_for_it(lab):
    lab.call("send", "order-1")
    assert arrived(lab, ["order-1"]), what_happened(lab, ["order-1"])


def test_orders_wait_in_the_order_they_were_sent_and_letter_for_letter(lab):
    orders = ["order-1", "order-2: 2 × crème brûlée", "order-3: ☕"]
    lab.call("web_shop", orders, 0.1)
    assert arrived(lab, orders), what_happened(lab, orders)


def test_the_warehouse_may_have_declared_the_queue_before(lab):
    lab.rabbitmq.declare("orders")
    lab.call("send", "order-1")
    lab.call("send", "order-2")
    assert arrived(lab, ["order-1", "order-2"]), what_happened(lab, ["order-1", "order-2"])


def test_the_shop_never_has_more_than_one_connection_open(lab):
    shop = lab.start("web_shop", ["order-1", "order-2", "order-3"], 0.4)
    most = []

    def too_many():
        most[:] = max(most, lab.rabbitmq.connections(), key=len)
        return len(most) > 1 or not shop.alive

    lab.wait_until(too_many, timeout_s=20)
    assert len(most) <= 1, (
        f"At t = {lab.now:.3f} s the shop sends its second order and has {len(most)} connections "
        "open, the first order's among them. How many will RabbitMQ have to keep by the evening?"
    )


@pytest.mark.stack("simulated")
def test_the_first_order_after_a_quiet_hour_arrives(lab):
    orders = ["order-1", "order-2"]
    shop = lab.start("web_shop", orders, 3600.0)
    shop.wait(3 * 3600.0)
    dropped = [event for event in lab.rabbitmq.events("connection.close") if is_drop(event)]
    if dropped and not arrived(lab, orders):
        pytest.fail(
            f"order-2 was sent after an hour of silence and did not arrive. At t = "
            f"{dropped[0]['t_s']:.0f} s RabbitMQ had closed the shop's connection: it had heard "
            "nothing from the shop, not even a heartbeat. What does your program do with a "
            "connection between two orders?"
        )
    assert arrived(lab, orders), what_happened(lab, orders)


def is_drop(event):
    """Whether the broker, not the shop, ended this connection."""
    return "heartbeat" in event["reason"]


def arrived(lab, orders):
    """Whether exactly these wait in the queue; what is still on its way gets a moment to come."""
    return lab.wait_until(lambda: waiting(lab) == orders, timeout_s=2)


def waiting(lab):
    """The orders in the queue, oldest first, as text."""
    return [message.body.decode("utf-8", "replace") for message in lab.rabbitmq.messages("orders")]


def what_happened(lab, orders):
    """Why `orders` is not what waits, in a sentence."""
    missing = [order for order in orders if order not in waiting(lab)]
    if not lab.rabbitmq.exists("orders"):
        elsewhere = elsewhere_it_went(lab)
        return (
            f"There is no queue `orders`, so RabbitMQ had nowhere to keep {missing[0]}.{elsewhere}"
        )
    if not missing:
        return f"The shop sent {listed(orders)}, and in the queue wait {listed(waiting(lab))}."
    strange = [order for order in waiting(lab) if order not in orders]
    if strange:
        return f"{missing[0]!r} was sent, and {strange[0]!r} is what waits in the queue."
    return f"{missing[0]!r} is not in the queue `orders`.{cleared(lab) or elsewhere_it_went(lab)}"


def listed(orders):
    return ", ".join(repr(order) for order in orders)


def cleared(lab):
    """Who emptied the queue, where we can know."""
    if lab.stack != "simulated":
        return ""
    for kind, verb in (("queue.delete", "deleted"), ("queue.purge", "emptied")):
        for event in (event for event in lab.rabbitmq.events(kind) if event["ready"]):
            return f" At t = {event['t_s']:.3f} s the queue was {verb}, with what was in it."
    return ""


def elsewhere_it_went(lab):
    """What RabbitMQ did with messages that reached another queue or none, where we can know."""
    if lab.stack != "simulated":
        return ""
    for event in lab.rabbitmq.events("basic.publish"):
        if "orders" not in event["queues"]:
            end = f"reached the queue `{event['queues'][0]}`" if event["queues"] else "was dropped"
            return (
                f" At t = {event['t_s']:.3f} s a message with the routing key "
                f"{event['routing_key']!r} was published to the exchange {event['exchange']!r}; "
                f"it {end}."
            )
    return ""
