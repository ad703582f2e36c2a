"""A broker's place in the world, with a broker small enough to see through."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from sandbox.sim.clock import SECOND

HEARTBEAT_NS = 10 * SECOND


class Shouting:
    """Answers every line in capitals; `later N` after N seconds; heartbeats; `bye` hangs up."""

    def __init__(self, observe):
        self.observe = observe
        self.activity = 0
        self.connections = []
        self.writable = []
        self.due = []
        self.kept = 0
        self.beats_at = HEARTBEAT_NS

    def connect(self, peer, now_ns):
        connection = Line(self, peer)
        self.connections.append(connection)
        self.observe("hello", {"peer": peer})
        return connection

    def take_writable(self):
        writable, self.writable = self.writable, []
        return writable

    def next_timer(self):
        return min([self.beats_at, *(at for at, _ in self.due)])

    def next_event_timer(self):
        return min((at for at, _ in self.due), default=None)

    def handle_timer(self, now_ns):
        if self.beats_at <= now_ns:
            self.beats_at = now_ns + HEARTBEAT_NS
            for connection in self.connections:
                connection.say(b"beat\n")
        for entry in [entry for entry in self.due if entry[0] <= now_ns]:
            self.due.remove(entry)
            self.activity += 1
            entry[1].say(b"later\n")

    def restart(self, now_ns):
        for connection in self.connections:
            connection.say(b"restarting\n")
        self.connections.clear()
        self.due.clear()
        self.kept += 1


class Line:
    subscribed = False
    closing = False

    def __init__(self, broker, peer):
        self.broker, self.peer = broker, peer
        self.out = b""
        self.lost = 0

    def say(self, data):
        self.out += data
        if self not in self.broker.writable:
            self.broker.writable.append(self)

    def receive_data(self, data, now_ns):
        if data == b"broken\n":
            raise RuntimeError("a broken broker")
        self.broker.activity += 1
        self.broker.observe("line", {"data": data})
        word, _, rest = data.strip().partition(b" ")
        if word == b"later":
            self.broker.due.append((now_ns + int(rest) * SECOND, self))
        elif word == b"subscribe":
            self.subscribed = True
        elif word == b"bye":
            self.closing = True
            self.say(b"BYE\n")
        else:
            self.say(data.upper())

    def data_to_send(self):
        data, self.out = self.out, b""
        return data

    def connection_lost(self, now_ns):
        self.lost += 1
        if self in self.broker.connections:
            self.broker.connections.remove(self)


@pytest.fixture
def service(world):
    return world.add_service("shouter", 7000, Shouting)


def call(*lines, host="shouter"):
    with socket.create_connection((host, 7000)) as connection:
        answers = []
        for line in lines:
            connection.sendall(line + b"\n")
            answers.append(connection.recv(100))
        return answers


@pytest.mark.parametrize("host", ["localhost", "shouter", "127.0.0.1"])
def test_a_broker_answers_on_its_own_host_and_on_localhost(world, service, inside, host):
    assert inside(lambda: call(b"hi", b"ho", host=host)) == [b"HI\n", b"HO\n"]
    assert service.broker.connections == []


def test_what_a_broker_observes_names_the_bytes_that_caused_it(world, service, inside):
    inside(lambda: call(b"hi"))
    (line,) = world.trace.of_kind("line")
    (sent, answered) = world.trace.of_kind("net.send")
    assert line.process == "shouter"
    assert line.fields == {"cause": sent.id, "data": b"hi\n"}
    assert (sent.process, sent.fields["where"][:16]) == ("main", "test_services.py")
    assert (answered.process, answered.fields["data"]) == ("shouter", b"HI\n")
    (hello,) = world.trace.of_kind("hello")
    assert hello.fields["peer"] == "main:49152"


def test_a_brokers_timers_are_kept(world, service, inside):
    assert inside(lambda: call(b"later 5")) == [b"later\n"]
    assert world.now_s == pytest.approx(5, abs=0.01)


def test_a_broker_that_has_work_to_do_is_not_idle_and_heartbeats_alone_are(world, service):
    def patient():
        with socket.create_connection(("localhost", 7000)) as connection:
            connection.sendall(b"subscribe\n")
            connection.sendall(b"later 300\n")
            while data := connection.recv(100):
                if b"later" in data:
                    print("at", round(time.monotonic() - 1000))

    process = world.start_function(patient)
    ending = world.run()
    assert process.output == "at 300\n"
    assert (ending.kind, ending.waiting) == ("idle", ("patient",))
    assert ending.at_s == pytest.approx(300, abs=1)


def test_a_client_that_has_not_asked_to_be_sent_anything_is_stuck(world, service):
    def waiting():
        with socket.create_connection(("localhost", 7000)) as connection:
            while connection.recv(100):
                pass

    world.start_function(waiting)
    ending = world.run()
    assert ending.kind == "deadlock"
    assert "`waiting` waits for bytes to arrive (test_services.py:" in ending.sentence


def test_a_broker_hangs_up_after_what_it_had_to_say(world, service, inside):
    def program():
        with socket.create_connection(("localhost", 7000)) as connection:
            connection.sendall(b"bye\n")
            return connection.recv(100), connection.recv(100)

    assert inside(program) == (b"BYE\n", b"")


def test_a_killed_clients_connection_is_lost_to_the_broker_once(world, service):
    def client():
        connection = socket.create_connection(("localhost", 7000))
        time.sleep(1000)
        connection.close()

    process = world.start_function(client)
    world.run(until_s=1)
    (line,) = service.broker.connections
    process.kill()
    world.run()
    assert (line.lost, service.broker.connections) == (1, [])


def test_a_stopped_broker_refuses_and_a_started_one_answers(world, service, inside):
    def program():
        seen = []
        connection = socket.create_connection(("localhost", 7000))
        time.sleep(2)
        seen.append(connection.recv(100))
        seen.append(connection.recv(100))
        try:
            socket.create_connection(("localhost", 7000))
        except ConnectionRefusedError:
            seen.append("refused")
        time.sleep(10)
        return seen + call(b"hi")

    world.faults.at(1, lambda: world.faults.stop_service("shouter"))
    world.faults.at(1.5, lambda: world.faults.stop_service("shouter"))
    world.faults.at(5, lambda: world.faults.start_service("shouter"))
    assert inside(program) == [b"restarting\n", b"", "refused", b"HI\n"]
    assert service.broker.kept == 1
    assert [event.fields for event in world.trace.of_kind("fault")] == [
        {"what": "stop", "service": "shouter"},
        {"what": "start", "service": "shouter"},
    ]


def test_a_restart_happens_at_one_instant(world, service, inside):
    world.faults.at(1, lambda: world.faults.restart_service("shouter"))
    inside(lambda: time.sleep(2))
    assert inside(lambda: call(b"hi")) == [b"HI\n"]
    assert service.broker.kept == 1


def test_a_partition_from_a_broker_is_named_by_host(world, service, inside):
    def program():
        world_began = time.monotonic()
        answers = call(b"hi")
        return answers, round(time.monotonic() - world_began)

    world.faults.partition("main", "shouter")
    world.faults.at(7.5, lambda: world.faults.heal("main", "shouter"))
    assert inside(program) == ([b"HI\n"], 8)


def test_a_port_of_a_broker_is_taken(world, service, inside):
    def program():
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("", 7000))

    inside(program)


def test_a_broken_broker_is_the_drivers_failure_and_not_the_learners(world, service):
    process = world.start_function(lambda: call(b"broken"))
    with pytest.raises(RuntimeError, match="a broken broker"):
        world.run()
    assert process.error is None


def test_an_administrators_act_is_carried_out_at_once(world, service, inside):
    times = []
    world.faults.at(3, lambda: service.act(times.append))
    inside(lambda: time.sleep(5))
    assert times == [3 * SECOND]


def test_a_program_that_waits_for_a_time_of_its_own_among_heartbeats_is_not_stuck(world, service):
    async def main():
        reader, writer = await asyncio.open_connection("localhost", 7000)
        beats = asyncio.create_task(reader.read())
        await asyncio.sleep(200)
        print("at", round(time.monotonic() - 1000))
        beats.cancel()
        writer.close()

    process = world.start_function(lambda: asyncio.run(main()))
    assert world.run().kind == "finished"
    assert process.output == "at 200\n"
