from kafka import KafkaConsumer

consumer = KafkaConsumer(
    "orders",
    "mails",
    "audit",
    "billing",
    bootstrap_servers="localhost:9092",
    group_id="workers",
    auto_offset_reset="earliest",
)
for record in consumer:
    print(record.topic, record.partition, record.offset, record.value.decode())
