"""Acknowledge ten orders with one message instead of ten."""

import time

import pika

from sandbox import record, start

BATCH = 10


def ship(order):
    """Hand an order to the courier."""
    time.sleep(0.01)
    record("shipped", order)


def worker():
    """Ship every order that comes, for ever.

    Acknowledge ten at a time. When no order has come for a second, acknowledge what is left over.
    """
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=2 * BATCH)
    shipped = 0  # and not yet acknowledged
    last_tag = None
    for method, _, body in channel.consume("orders", inactivity_timeout=1):
        if method is not None:
            ship(body.decode())
            shipped += 1
            last_tag = method.delivery_tag
        if shipped == BATCH or (shipped and method is None):
            channel.basic_ack(last_tag, multiple=True)
            shipped = 0


if __name__ == "__main__":  # what Run does; the checks call worker() themselves
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    for number in range(1, 26):
        channel.basic_publish("", "orders", f"order-{number}")

    first = start(worker)
    time.sleep(4)
    first.kill()  # whatever it had not acknowledged comes back
    time.sleep(0.1)
    left = channel.queue_declare("orders", passive=True).method.message_count
    print(f"{left} of 25 orders were not acknowledged after 4 s")
    connection.close()
