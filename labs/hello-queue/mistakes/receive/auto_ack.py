# caught-by: test_no_order_is_lost_when_it_is_killed
# hint: With auto_ack an order counts as done once it is on its way to you. Which orders are on
# their way when the program dies?

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

    channel.basic_consume(queue="orders", on_message_callback=on_order, auto_ack=True)
    channel.start_consuming()


if __name__ == "__main__":
    receive()
