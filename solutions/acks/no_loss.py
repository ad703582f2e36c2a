"""Ship every order, even when a worker dies."""

import time

import pika

from sandbox import record, start


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
    """Ship one order; only then tell RabbitMQ to forget it."""
    try:
        ship(body.decode())
    except CourierBusy as error:
        print(error)
        channel.basic_nack(method.delivery_tag)  # requeue=True: somebody tries again
    else:
        channel.basic_ack(method.delivery_tag)


def worker():
    """Ship orders from the queue, for ever."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("orders", on_message_callback=on_order)
    channel.start_consuming()


if __name__ == "__main__":  # what Run does; the checks call worker() themselves
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    for order in ["order-1", "order-2", "order-3", "order-4 piano", "order-5"]:
        channel.basic_publish("", "orders", order)

    first = start(worker, name="worker-1")
    time.sleep(0.5)
    first.kill()
    print("worker-1 has died; worker-2 takes over")
    start(worker, name="worker-2")
    time.sleep(3)
    print("left in the queue:", channel.queue_declare("orders", passive=True).method.message_count)
    connection.close()
