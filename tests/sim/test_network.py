"""Hosts, addresses and ports."""

from __future__ import annotations

import errno

import pytest

from sandbox.sim.clock import Clock
from sandbox.sim.links import LATENCY_NS, Link, Links
from sandbox.sim.network import Network


class Quiet:
    names = ("shop", "shop")

    def offer(self, client, peer, address):
        return None


@pytest.fixture
def network():
    return Network(Clock())


def test_hosts_have_addresses_that_stay(network):
    address = network.add_host("shop")
    assert network.add_host("shop") == address
    assert network.resolve("shop") == address
    assert network.resolve(address) == address
    assert network.add_host("other") != address
    assert network.hosts() == ["localhost", "shop", "other"]


@pytest.mark.parametrize(
    ("name", "address"),
    [("localhost", "127.0.0.1"), ("", "0.0.0.0"), ("::", "0.0.0.0"), ("::1", "127.0.0.1")],
)
def test_special_names_resolve(network, name, address):
    assert network.resolve(name) == address


@pytest.mark.parametrize("name", ["nowhere", "1.2.3", "1.2.3.256", "example.com"])
def test_a_name_nobody_has_does_not_resolve(network, name):
    with pytest.raises(OSError, match="no host is called") as unknown:
        network.resolve(name)
    assert unknown.value.errno == errno.ENOENT


def test_a_published_port_answers_on_every_localhost(network):
    broker, own = Quiet(), Quiet()
    network.add_host("rabbitmq")
    network.listen("rabbitmq", 5672, broker)
    assert network.find("localhost", "127.0.0.1", 5672) is None
    network.publish("rabbitmq", 5672)
    assert network.find("localhost", "127.0.0.1", 5672) is broker
    assert network.find("laptop", "127.0.0.1", 5672) is broker
    assert network.find("laptop", network.resolve("rabbitmq"), 5672) is broker
    assert network.host_at("laptop", "127.0.0.1", 5672) == "rabbitmq"
    assert network.is_taken("laptop", 5672)
    network.listen("laptop", 80, own)
    assert network.find("laptop", "127.0.0.1", 80) is own
    assert network.find("localhost", "127.0.0.1", 80) is None
    assert network.host_at("laptop", "10.9.9.9", 80) is None


def test_a_port_is_free_again_when_its_listener_stops(network):
    network.listen("shop", 80, Quiet())
    with pytest.raises(OSError, match="in use"):
        network.listen("shop", 80, Quiet())
    network.stop_listening("shop", 80)
    network.stop_listening("shop", 80)
    network.listen("shop", 80, Quiet())


def test_ephemeral_ports_and_connections_are_numbered_in_order(network):
    assert [network.free_port() for _ in range(3)] == [49152, 49153, 49154]
    assert [network.next_connection() for _ in range(3)] == [1, 2, 3]


def test_a_link_is_plain_unless_a_fault_names_its_ends():
    links = Links()
    here, there = ("worker", "laptop"), ("rabbitmq", "rabbitmq")
    assert links.between(here, there) == Link(LATENCY_NS)
    version = links.version
    links.set("laptop", "rabbitmq", Link(5))
    assert links.version > version
    assert links.between(here, there) == links.between(there, here) == Link(5)
    assert links.between(("other", "phone"), there) == Link(LATENCY_NS)
    links.set("rabbitmq", "worker", Link(severed=True))
    assert links.between(here, there).severed
    links.set("laptop", "rabbitmq", Link(7))
    assert links.between(here, there) == Link(7)
    links.heal("rabbitmq", "laptop")
    assert links.between(here, there).severed
    links.heal("rabbitmq", "worker")
    links.heal("rabbitmq", "worker")
    assert links.between(here, there) == Link(LATENCY_NS)
