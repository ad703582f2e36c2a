# caught-by: test_left_over_orders_are_acknowledged_too
# hint: 23 orders are two batches of ten, and three. When will the three be acknowledged if no
# other order comes today?
"""Acknowledges full batches only."""

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
    last_tag = None
    for method, _, body in channel.consume("orders"):
        ship(body.decode())
        shipped += 1
        last_tag = method.delivery_tag
        if shipped == BATCH:
            channel.basic_ack(last_tag, multiple=True)
            shipped = 0
