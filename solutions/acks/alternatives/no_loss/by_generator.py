"""The same with `consume`, pika's generator: the loop is yours, not pika's."""

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


def worker():
    """Ship orders from the queue, for ever."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=3)
    for method, _, body in channel.consume("orders"):
        try:
            ship(body.decode())
        except CourierBusy:
            channel.basic_nack(method.delivery_tag)
        else:
            channel.basic_ack(method.delivery_tag)
