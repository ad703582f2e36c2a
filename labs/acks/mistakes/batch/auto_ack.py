# caught-by: test_one_acknowledgement_covers_ten_orders, test_nothing_is_acknowledged_before_it_is_shipped
# hint: auto_ack needs no acknowledgement at all, because RabbitMQ forgets the orders as it sends
# them. Is that what a batch should mean?
"""No acknowledgements, so none to batch."""

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
    for method, _, body in channel.consume("orders", auto_ack=True):
        ship(body.decode())
