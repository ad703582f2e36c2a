# caught-by: test_the_products_behind_a_sold_out_one_are_rendered_too, test_the_worker_is_still_there_for_the_next_product
# hint: A channel that RabbitMQ has closed stays closed, and its consumer went with it. What do
# you need before you can consume again?
"""Goes on with the channel that was closed."""

import time

import pika
import pika.exceptions

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
    channel = connection.channel()
    channel.queue_declare("products")
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("products", on_message_callback=on_product)
    while True:
        try:
            channel.start_consuming()
        except pika.exceptions.ChannelClosedByBroker:
            continue
