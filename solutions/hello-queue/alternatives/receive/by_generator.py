"""A loop instead of a callback: `consume` yields one message after the other, for ever."""

import pika

from sandbox import record


def show(order: str) -> None:
    """Put an order on the screen. (Given; leave it as it is.)"""
    record("shown", order)
    print(f" [x] {order}")


def receive() -> None:
    """Show and acknowledge the orders in the queue `orders`, for ever."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    for method, _properties, body in channel.consume("orders"):
        show(body.decode("utf-8"))
        channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":
    receive()
