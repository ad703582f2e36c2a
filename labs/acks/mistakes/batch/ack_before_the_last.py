# caught-by: test_nothing_is_acknowledged_before_it_is_shipped
# hint: `multiple` covers every delivery up to the tag you name, and that one too. Had you
# finished with all of them on that line?
"""The tenth order is acknowledged on arrival, together with the nine before it."""

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
    received = 0
    last_tag = None
    for method, _, body in channel.consume("orders", inactivity_timeout=1):
        if method is not None:
            received += 1
            last_tag = method.delivery_tag
        if received == BATCH or (received and method is None):
            channel.basic_ack(last_tag, multiple=True)
            received = 0
        if method is not None:
            ship(body.decode())
