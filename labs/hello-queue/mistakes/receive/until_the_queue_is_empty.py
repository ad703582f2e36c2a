# caught-by: test_orders_that_come_later_are_shown_too, test_it_can_start_before_the_first_order
# hint: `basic_get` asks once and gets an answer at once. What does an empty queue mean for a
# warehouse that is open all day?

import pika

from sandbox import record


def show(order: str) -> None:
    """Put an order on the screen. (Given; leave it as it is.)"""
    record("shown", order)
    print(f" [x] {order}")


def receive() -> None:
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare(queue="orders")
    while True:
        method, properties, body = channel.basic_get(queue="orders")
        if method is None:
            break
        show(body.decode())
        channel.basic_ack(delivery_tag=method.delivery_tag)
    connection.close()


if __name__ == "__main__":
    receive()
