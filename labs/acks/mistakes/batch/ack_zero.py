# caught-by: test_nothing_is_acknowledged_before_it_is_shipped
# hint: Tag 0 with `multiple` means: everything you have been sent. Is everything you have been
# sent also shipped, or does pika hold some of it for you?
"""Acknowledges everything outstanding: also what has arrived and was not yet shipped."""

import time

import pika

from sandbox import record

BATCH = 10


def ship(order):
    """Hand an order to the courier."""
    time.sleep(0.01)
    record("shipped", order)


def worker():
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=2 * BATCH)
    shipped = 0
    for method, _, body in channel.consume("orders", inactivity_timeout=1):
        if method is not None:
            ship(body.decode())
            shipped += 1
        if shipped == BATCH or (shipped and method is None):
            channel.basic_ack(0, multiple=True)
            shipped = 0
