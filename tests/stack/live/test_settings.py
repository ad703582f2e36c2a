"""Where the broker is: two variables, and sentences about wrong ones."""

from __future__ import annotations

import pytest

from sandbox.stack.base import StackUnavailable
from sandbox.stack.live.settings import Settings


def test_nothing_set_means_the_compose_stack() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings("localhost", 5672, "guest", "guest", "http://localhost:15672")


def test_an_address_says_host_port_user_and_password() -> None:
    settings = Settings.from_environment({"AMQP_URL": "amqp://shop:p%40ss@broker:5673/any"})
    assert (settings.host, settings.port) == ("broker", 5673)
    assert (settings.user, settings.password) == ("shop", "p@ss")
    assert settings.management_url == "http://broker:15672"


def test_the_management_plugin_can_be_elsewhere() -> None:
    settings = Settings.from_environment({"RABBITMQ_MANAGEMENT_URL": "https://boards:443/"})
    assert settings.management_url == "https://boards:443"


def test_an_ipv6_address_keeps_its_brackets() -> None:
    settings = Settings.from_environment({"AMQP_URL": "amqp://[::1]:5672/"})
    assert settings.host == "::1"
    assert settings.address == "[::1]:5672"
    assert settings.management_url == "http://[::1]:15672"


@pytest.mark.parametrize(
    "url", ["localhost:5672", "http://localhost", "amqp://", "amqp://host:many/", "amqps://host/"]
)
def test_what_is_no_amqp_address_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(StackUnavailable, match="AMQP_URL"):
        Settings.from_environment({"AMQP_URL": url})


def test_a_password_is_not_part_of_a_message() -> None:
    assert "secret" not in Settings.from_environment({"AMQP_URL": "amqp://a:secret@h/"}).address
