"""Show every order on the screen in the warehouse."""

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

    def on_order(channel, method, properties, body):
        show(body.decode())
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("orders", on_order)
    channel.start_consuming()


if __name__ == "__main__":
    receive()
