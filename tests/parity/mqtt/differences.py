"""Where the sandbox's broker differs from Mosquitto 2.0.11, knowingly: scenario and reason.

A scenario leaves this list the day the two agree; a test sees to that.
"""

from __future__ import annotations

DIFFERENCES = {
    "a_small_receive_maximum": (
        "Mosquitto sends more than the client takes after its first acknowledgement"
    ),
    "more_than_the_server_takes": (
        "Mosquitto refuses what is too much with 0x97, the specification ends the connection with"
        " 0x93 (3.3.4)"
    ),
    "subscribing_again_with_other_options": (
        "Mosquitto changes the QoS and the identifier and leaves No Local and Retain As Published,"
        " the specification replaces the subscription (MQTT-3.8.4-3)"
    ),
    "a_delayed_will_ends_with_its_session": (
        "Mosquitto waits for the delay though the session ended, and forgets the will if a clean"
        " start ends it; the specification publishes it when the session ends (3.1.3.2.2)"
    ),
    "retained_messages_for_a_group": "Mosquitto sends them, the specification says not to (4.8.2)",
    "no_local_and_ones_own_retained_message": (
        "Mosquitto sends it, the specification says not to (MQTT-3.8.3-3)"
    ),
    "overlapping_subscriptions_of_an_older_client": (
        "Mosquitto sends it with the QoS of the most particular filter, the specification wants the"
        " highest (MQTT-3.3.5-1 of 3.1.1)"
    ),
    "a_will_of_a_connection_that_is_taken_over": (
        "Mosquitto publishes it only if the session ends, the specification always (3.1.2.5)"
    ),
    "aliases_from_the_server": "Mosquitto 2.0 never uses any",
    "packets_that_only_the_specification_refuses": "Mosquitto takes them",
    "a_goodbye_with_another_reason": (
        "Mosquitto publishes the will only for reason 4, the specification for all but 0"
    ),
    "a_connect_that_is_wrong": "Mosquitto hangs up, the sandbox says why in a CONNACK",
}
