"""One connection for the whole day, made anew when it turns out to be gone.

RabbitMQ closes a connection that leaves its heartbeats unanswered, and a shop that is not serving
its connection leaves them unanswered whenever it is quiet for some minutes.
"""

import time

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel

connection: pika.BlockingConnection | None = None
channel: BlockingChannel | None = None


def send(order: str) -> None:
    """Put one order into the queue `orders` of the RabbitMQ at localhost."""
    try:
        publish(order)
    except pika.exceptions.AMQPError:
        close()
        publish(order)


def publish(order: str) -> None:
    """Publish on the open channel, opening one first if there is none."""
    global connection, channel
    if channel is None:
        connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
        channel = connection.channel()
        channel.queue_declare("orders")
    channel.basic_publish("", "orders", order.encode())
    connection.process_data_events()  # hear what RabbitMQ has to say, if only goodbye


def close() -> None:
    """Forget a connection that is gone."""
    global connection, channel
    connection = channel = None


def web_shop(orders: list[str], pause_s: float) -> None:
    """A day in the web shop: an order, a pause, an order ... (Given; leave it as it is.)"""
    for order in orders:
        send(order)
        time.sleep(pause_s)


if __name__ == "__main__":
    web_shop(["order-1", "order-2", "order-3"], pause_s=0.5)
    print("three orders sent")
