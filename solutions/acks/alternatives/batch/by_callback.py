"""With a callback, and a timer of the connection's for the left-over ones."""

import time

import pika

from sandbox import record

BATCH = 10


def ship(order):
    """Hand an order to the courier."""
    time.sleep(0.01)
    record("shipped", order)


class Batches:
    """Counts what was shipped, and acknowledges it ten at a time."""

    def __init__(self, connection, channel):
        self.connection = connection
        self.channel = channel
        self.shipped = 0
        self.last_tag = 0
        self.timer = None

    def on_order(self, channel, method, properties, body):
        if self.timer is not None:
            self.connection.remove_timeout(self.timer)
            self.timer = None
        ship(body.decode())
        self.shipped += 1
        self.last_tag = method.delivery_tag
        if self.shipped == BATCH:
            self.acknowledge()
        else:
            self.timer = self.connection.call_later(1, self.left_over)

    def left_over(self):
        self.timer = None
        self.acknowledge()

    def acknowledge(self):
        self.channel.basic_ack(self.last_tag, multiple=True)
        self.shipped = 0


def worker():
    """Ship every order that comes, for ever."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=50)
    channel.basic_consume("orders", on_message_callback=Batches(connection, channel).on_order)
    channel.start_consuming()
