# caught-by: test_an_order_that_the_courier_refuses_is_shipped_later
# hint: The order is safe, it went back to the queue. But an exception that leaves the callback
# ends the worker: who ships the orders behind it?
"""Acknowledges after the work, and lets a refusal end the worker."""

import time

import pika

from sandbox import record


class CourierBusy(Exception):
    """The courier has no van for this order now. Asking again may work."""


refused = set()


def ship(order):
    """Hand an order to the courier, which takes 0.2 s.

    Raises CourierBusy: nothing was shipped. A piano is always refused at the first call.
    """
    time.sleep(0.2)
    if "piano" in order and order not in refused:
        refused.add(order)
        raise CourierBusy(f"no van for {order}")
    record("shipped", order)
    print("shipped", order)


def on_order(channel, method, properties, body):
    ship(body.decode())
    channel.basic_ack(method.delivery_tag)


def worker():
    """Ship orders from the queue, for ever."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("orders", on_message_callback=on_order)
    channel.start_consuming()
