from kombu import Connection, Exchange, Queue

media = Exchange("media", "direct", durable=True)
videos = Queue("video", exchange=media, routing_key="video")


def through(url):
    got = []

    def on_video(body, message):
        got.append(body["number"])
        message.ack()

    with Connection(url) as connection:
        producer = connection.Producer(serializer="json")
        for number in range(3):
            producer.publish(
                {"number": number}, exchange=media, routing_key="video", declare=[videos]
            )
        with connection.Consumer(videos, callbacks=[on_video]):
            while len(got) < 3:
                connection.drain_events(timeout=5)
    return got


print(through("amqp://guest:guest@localhost//"), through("redis://localhost:6379/2"))
