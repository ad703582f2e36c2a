"""What a broker answers to clients that break the rules."""

from __future__ import annotations

import struct

from pamqp import commands

from tests.parity.amqp.stage import Stage, scenario


@scenario
def a_method_on_a_channel_that_is_not_open(stage: Stage) -> None:
    client = stage.raw()
    client.send(commands.Queue.Declare(0, "orders"), 7)
    stage.see(client.said())


@scenario
def opening_a_channel_twice(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel(1)
    client.send(commands.Channel.Open(), 1)
    stage.see(client.said())


@scenario
def a_channel_number_beyond_the_limit(stage: Stage) -> None:
    client = stage.raw()
    client.send(commands.Channel.Open(), 60000)
    stage.see(client.said())


@scenario
def a_frame_without_its_end(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send_bytes(struct.pack(">BHI", 1, 1, 4) + b"\x00\x32\x00\x0a" + b"\x00")
    stage.see(client.said())


@scenario
def a_frame_larger_than_agreed(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send_bytes(struct.pack(">BHI", 3, 1, 200_000) + b"x" * 200_000 + b"\xce")
    stage.see(client.said())


@scenario
def a_method_that_does_not_exist(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send_bytes(struct.pack(">BHIHH", 1, 1, 4, 60, 999) + b"\xce")
    stage.see(client.said())


@scenario
def a_frame_type_that_does_not_exist(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send_bytes(struct.pack(">BHI", 9, 1, 0) + b"\xce")
    stage.see(client.said())


@scenario
def a_body_without_a_publish(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send_bytes(struct.pack(">BHI", 3, 1, 3) + b"abc\xce")
    stage.see(client.said())


@scenario
def a_publish_without_its_content(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send(commands.Basic.Publish(0, "", "orders", False, False))
    client.send(commands.Queue.Declare(0, "orders"))
    stage.see(client.said())


@scenario
def a_servers_method_from_a_client(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send(commands.Queue.DeclareOk("orders", 0, 0))
    stage.see(client.said())


@scenario
def a_channels_method_on_channel_zero(stage: Stage) -> None:
    client = stage.raw()
    client.send(commands.Queue.Declare(0, "orders"), 0)
    stage.see(client.said())


@scenario
def methods_after_a_channel_error_are_ignored_until_it_is_closed(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send(commands.Queue.Declare(0, "nobodys", True))
    client.send(commands.Queue.Declare(0, "orders"))
    stage.see(client.said())
    client.send(commands.Channel.CloseOk())
    client.open_channel(1)
    client.send(commands.Queue.Declare(0, "orders", True))
    stage.see(client.said())


@scenario
def the_flow_of_a_channel(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send(commands.Channel.Flow(True))
    stage.see(client.said())
    client.send(commands.Channel.Flow(False))
    stage.see(client.said())
