# caught-by: test_no_order_is_lost_when_it_is_killed
# hint: Read your callback aloud, line by line, and imagine a power cut after each line. After
# which one is an order neither on the screen nor in the queue?

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
        channel.basic_ack(delivery_tag=method.delivery_tag)
        show(body.decode())

    channel.basic_consume(queue="orders", on_message_callback=on_order)
    channel.start_consuming()


if __name__ == "__main__":
    receive()
