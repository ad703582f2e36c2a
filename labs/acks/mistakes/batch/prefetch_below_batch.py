# caught-by: test_every_order_is_shipped, test_one_acknowledgement_covers_ten_orders, test_left_over_orders_are_acknowledged_too, test_nothing_is_acknowledged_before_it_is_shipped
# hint: RabbitMQ sends no more than `prefetch_count` orders before it hears from you, and you say
# nothing before you have ten. Who moves first?
"""The prefetch limit is smaller than the batch: both sides wait for each other."""

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
    channel.basic_qos(prefetch_count=5)
    shipped = 0
    last_tag = None
    for method, _, body in channel.consume("orders"):
        ship(body.decode())
        shipped += 1
        last_tag = method.delivery_tag
        if shipped == BATCH:
            channel.basic_ack(last_tag, multiple=True)
            shipped = 0
