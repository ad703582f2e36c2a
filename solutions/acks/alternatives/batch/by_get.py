"""Collect a batch with basic_get, ship it, acknowledge its last order."""

import time

import pika

from sandbox import record

BATCH = 10


def ship(order):
    """Hand an order to the courier."""
    time.sleep(0.01)
    record("shipped", order)


def worker():
    """Ship every order that comes, for ever."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    while True:
        last_tag = None
        for _ in range(BATCH):
            method, _, body = channel.basic_get("orders")
            if method is None:
                break
            ship(body.decode())
            last_tag = method.delivery_tag
        if last_tag is not None:
            channel.basic_ack(last_tag, multiple=True)
        else:
            connection.sleep(1)
