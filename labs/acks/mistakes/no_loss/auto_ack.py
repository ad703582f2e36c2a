# caught-by: test_no_order_is_lost_when_the_worker_dies, test_an_order_that_the_courier_refuses_is_shipped_later, test_the_next_worker_ships_what_a_dead_one_left
# hint: With auto_ack RabbitMQ forgets an order the moment it sends it. Who still knows about the
# orders that were on their way to a worker?
"""auto_ack stays, with a try around the work."""

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
    try:
        ship(body.decode())
    except CourierBusy as error:
        print("could not ship:", error)


def worker():
    """Ship orders from the queue, for ever."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_consume("orders", on_message_callback=on_order, auto_ack=True)
    channel.start_consuming()
