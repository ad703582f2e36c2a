# caught-by: test_it_can_start_before_the_first_order
# hint: In the morning the warehouse is often first. Who has declared the queue by then?

import pika

from sandbox import record


def show(order: str) -> None:
    """Put an order on the screen. (Given; leave it as it is.)"""
    record("shown", order)
    print(f" [x] {order}")


def receive() -> None:
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()

    def on_order(channel, method, properties, body):
        show(body.decode())
        channel.basic_ack(delivery_tag=method.delivery_tag)

    channel.basic_consume(queue="orders", on_message_callback=on_order)
    channel.start_consuming()


if __name__ == "__main__":
    receive()
