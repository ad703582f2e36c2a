"""Ship every order that arrives on the queue `orders`, with a callback."""

import pika

from sandbox import record


def relay() -> None:
    """Consume `orders`; call `record("shipped", order)` for each."""
    channel = pika.BlockingConnection(pika.ConnectionParameters("localhost")).channel()
    channel.queue_declare("orders")

    def ship(channel, method, properties, body):
        record("shipped", body.decode())
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("orders", ship)
    channel.start_consuming()
