# caught-by: test_a_second_run_does_not_confirm_them_again, test_the_order_in_hand_is_finished
# hint: The e-mail is out, the program stops in peace, and RabbitMQ still counts the order among
# those to be done. Why?

import signal
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
    stopping = False

    def on_order(channel, method, properties, body):
        if not stopping:
            send_email(body.decode())

    def stop(signum, frame):
        nonlocal stopping
        stopping = True
        connection.add_callback_threadsafe(channel.stop_consuming)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    channel.basic_consume("orders", on_order)
    print(" [*] Waiting for orders. To exit press CTRL+C")
    channel.start_consuming()
    connection.close()


if __name__ == "__main__":
    main()
