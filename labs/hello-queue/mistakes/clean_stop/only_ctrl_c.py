# caught-by: test_sigterm_ends_it_in_peace, test_the_order_in_hand_is_finished
# hint: KeyboardInterrupt is what Python makes of Ctrl-C. What does it make of the signal that
# `docker stop` sends?

import time

import pika

from sandbox import record


def send_email(order: str) -> None:
    """Write to the customer, which takes a second. (Given; leave it as it is.)"""
    record("begun", order)
    time.sleep(1)
    record("sent", order)
    print(f" [x] {order} is confirmed")


def main() -> None:
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=1)

    def on_order(channel, method, properties, body):
        send_email(body.decode())
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("orders", on_order)
    print(" [*] Waiting for orders. To exit press CTRL+C")
    try:
        channel.start_consuming()
    except KeyboardInterrupt:
        channel.stop_consuming()
    connection.close()


if __name__ == "__main__":
    main()
