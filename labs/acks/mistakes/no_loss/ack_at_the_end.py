# caught-by: test_a_crash_repeats_at_most_the_order_in_hand
# hint: How many orders has your worker shipped, at worst, before it says so? All of those are
# shipped again when it dies.
"""Acknowledges three at a time."""

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


waiting = []


def on_order(channel, method, properties, body):
    try:
        ship(body.decode())
    except CourierBusy:
        channel.basic_nack(method.delivery_tag)
        return
    waiting.append(method.delivery_tag)
    if len(waiting) == 4:
        for tag in waiting:
            channel.basic_ack(tag)
        waiting.clear()


def worker():
    """Ship orders from the queue, for ever."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=10)
    channel.basic_consume("orders", on_message_callback=on_order)
    channel.start_consuming()
