# caught-by: test_an_error_of_another_kind_ends_the_worker
# hint: `except Exception` also catches the errors that no new channel can heal. Which one error
# did you mean, and what happens to all the others?
"""Whatever happens, begin again."""

import time

import pika

from sandbox import record


def render(channel, method, body):
    """Make a product's page anew; doing that twice does no harm.

    What nobody told you: when a product is sold out, this acknowledges the delivery itself.

    Raises ValueError: the product has no price.
    """
    product = body.decode()
    if "no price" in product:
        raise ValueError(f"{product}: what should the page say?")
    time.sleep(0.1)
    record("rendered", product)
    print("rendered", product)
    if "sold out" in product:
        channel.basic_ack(method.delivery_tag)


def on_product(channel, method, properties, body):
    """Called by pika for every product that changed."""
    render(channel, method, body)
    channel.basic_ack(method.delivery_tag)


def worker():
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    while True:
        channel = connection.channel()
        channel.queue_declare("products")
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume("products", on_message_callback=on_product)
        try:
            channel.start_consuming()
        except Exception as error:
            print("starting again after", error)
            if channel.is_open:
                channel.close()
