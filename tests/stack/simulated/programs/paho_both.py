import threading

import paho.mqtt.client as mqtt

got = []
done = threading.Event()


def on_connect(client, userdata, flags, reason, properties):
    client.subscribe("orders/+", qos=1)


def on_subscribe(client, userdata, mid, reasons, properties):
    for number in range(4):
        client.publish(f"orders/{number}", f"order-{number}", qos=number % 3)


def on_message(client, userdata, message):
    got.append((message.topic, message.payload.decode(), message.qos))
    if len(got) == 4:
        done.set()


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.will_set("state/shop", "gone", retain=True)
client.connect("localhost", 1883, keepalive=30)
client.loop_start()
done.wait(20)
print(*sorted(got), sep="\n")
client.publish("state/shop", "open", retain=True).wait_for_publish(5)
client.disconnect()
client.loop_stop()
