"""Asks for one message at a time and naps when there is none.

Right, and dearer: a question for every order, a question twice a second when nothing happens, and
every order waits up to half a second. `connection.sleep` answers heartbeats; `time.sleep` does not.
"""

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
    while True:
        method, _properties, body = channel.basic_get("orders")
        if method is None:
            connection.sleep(0.5)
            continue
        show(body.decode())
        channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":
    receive()
