# caught-by: test_no_order_is_left_unacknowledged
# hint: RabbitMQ keeps what it has not been told is done.
import pika

from sandbox import record


def relay() -> None:
    channel = pika.BlockingConnection(pika.ConnectionParameters("localhost")).channel()
    channel.queue_declare("orders")
    for _, _, body in channel.consume("orders"):
        record("shipped", body.decode())
