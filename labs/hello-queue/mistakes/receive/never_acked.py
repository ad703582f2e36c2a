# caught-by: test_a_shown_order_does_not_come_back
# hint: The order is on the screen. From which line of your program could RabbitMQ know?

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

    def on_order(channel, method, properties, body):
        show(body.decode())

    channel.basic_consume(queue="orders", on_message_callback=on_order)
    channel.start_consuming()


if __name__ == "__main__":
    receive()
