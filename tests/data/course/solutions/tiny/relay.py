"""Ship every order that arrives on the queue `orders`."""

import pika

from sandbox import record


def relay() -> None:
    """Consume `orders`; call `record("shipped", order)` for each."""
    channel = pika.BlockingConnection(pika.ConnectionParameters("localhost")).channel()
    channel.queue_declare("orders")
    for method, _, body in channel.consume("orders"):
        record("shipped", body.decode())
        channel.basic_ack(method.delivery_tag)
