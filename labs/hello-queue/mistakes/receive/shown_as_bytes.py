# caught-by: test_an_order_is_shown_as_text
# hint: A queue carries bytes and has never heard of letters. What turns bytes into the text that
# the customer wrote?

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
        show(body)
        channel.basic_ack(delivery_tag=method.delivery_tag)

    channel.basic_consume(queue="orders", on_message_callback=on_order)
    channel.start_consuming()


if __name__ == "__main__":
    receive()
