# caught-by: test_one_acknowledgement_covers_ten_orders
# hint: Every order is acknowledged by itself. What would have to be true of the nine orders
# before the tenth, so that one acknowledgement could speak for all?
"""Safe, and not what was asked: one acknowledgement each."""

import time

import pika

from sandbox import record

BATCH = 10


def ship(order):
    """Hand an order to the courier."""
    time.sleep(0.01)
    record("shipped", order)


def on_order(channel, method, properties, body):
    ship(body.decode())
    channel.basic_ack(method.delivery_tag)


def worker():
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=BATCH)
    channel.basic_consume("orders", on_message_callback=on_order)
    channel.start_consuming()
