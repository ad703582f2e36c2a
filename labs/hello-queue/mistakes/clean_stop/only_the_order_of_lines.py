# caught-by: test_a_second_run_does_not_confirm_them_again, test_ctrl_c_ends_it_in_peace, test_sigterm_ends_it_in_peace, test_the_order_in_hand_is_finished, test_it_says_goodbye_to_rabbitmq
# hint: It runs now. What does RabbitMQ still not know after an e-mail, and what does your program
# do when somebody tells it to stop?

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

    def on_order(channel, method, properties, body):
        send_email(body.decode())

    channel.basic_consume("orders", on_order)
    print(" [*] Waiting for orders. To exit press CTRL+C")
    channel.start_consuming()


if __name__ == "__main__":
    main()
