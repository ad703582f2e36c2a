"""Survive a double acknowledgement."""

import time

import pika
import pika.exceptions

from sandbox import record, start


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
    """Render the pages of products from the queue, for ever."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    connection.channel().queue_declare("products")
    while True:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume("products", on_message_callback=on_product)
        try:
            channel.start_consuming()
        except pika.exceptions.ChannelClosedByBroker as closed:
            if closed.reply_code != 406:
                raise
            print(f"RabbitMQ closed the channel ({closed.reply_text}); going on with another one")


if __name__ == "__main__":  # what Run does; the checks call worker() themselves
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("products")
    for product in ["hat", "boots (sold out)", "scarf", "gloves (sold out)", "socks"]:
        channel.basic_publish("", "products", product)

    start(worker)
    time.sleep(3)
    left = channel.queue_declare("products", passive=True).method.message_count
    print("left in the queue:", left)
    connection.close()
