"""Show every order on the screen in the warehouse.

The program runs all day. When no orders are there it waits for some.
"""

import pika

from sandbox import record


def show(order: str) -> None:
    """Put an order on the screen. (Given; leave it as it is.)"""
    record("shown", order)
    print(f" [x] {order}")


def receive() -> None:
    """Show and acknowledge the orders in the queue `orders`, for ever.

    pika calls a callback with four arguments: `callback(channel, method, properties, body)`.
    """
    raise NotImplementedError("receive orders")


if __name__ == "__main__":
    receive()
