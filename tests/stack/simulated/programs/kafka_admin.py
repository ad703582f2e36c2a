from kafka.admin import KafkaAdminClient, NewTopic

admin = KafkaAdminClient(bootstrap_servers="localhost:9092")
names = ("orders", "mails", "audit", "billing")
admin.create_topics([NewTopic(name, num_partitions=3, replication_factor=1) for name in names])
print(sorted(admin.list_topics()))
admin.close()
