"""Wait for ten, ship them together, and acknowledge with tag 0: all that is outstanding."""

import time

import pika

from sandbox import record

BATCH = 10


def ship(order):
    """Hand an order to the courier."""
    time.sleep(0.01)
    record("shipped", order)


def worker():
    """Ship every order that comes, for ever. The prefetch limit is the batch."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=BATCH)
    batch = []
    for method, _, body in channel.consume("orders", inactivity_timeout=1):
        if method is not None:
            batch.append(body.decode())
        if len(batch) == BATCH or (batch and method is None):
            for order in batch:
                ship(order)
            channel.basic_ack(0, multiple=True)  # safe: nothing else can be outstanding
            batch.clear()
