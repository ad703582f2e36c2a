from kafka import KafkaProducer

producer = KafkaProducer(bootstrap_servers="kafka:9092")
for topic in ("orders", "mails", "audit", "billing"):
    for number in range(4):
        producer.send(topic, b"%d" % number, key=b"customer-%d" % number)
producer.flush()
producer.close()
print("sent")
