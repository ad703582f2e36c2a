# caught-by: test_left_over_orders_are_acknowledged_too
# hint: One acknowledgement for ten deliveries needs a word that says so. What did RabbitMQ hear
# about the other nine?
"""One acknowledgement per ten orders, and it covers one of them."""

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
    channel.basic_qos(prefetch_count=100)
    shipped = 0
    last_tag = None
    for method, _, body in channel.consume("orders", inactivity_timeout=1):
        if method is not None:
            ship(body.decode())
            shipped += 1
            last_tag = method.delivery_tag
        if shipped == BATCH or (shipped and method is None):
            channel.basic_ack(last_tag)
            shipped = 0
