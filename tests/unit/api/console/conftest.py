import pytest

from tests.support.console import Visitor, World, open_world


@pytest.fixture
def world() -> World:
    """A console whose keys see (`read`) and change (`admin`)."""
    world = open_world()
    world.keys = {"read": world.add_key("read"), "admin": world.add_key("read", "admin")}
    return world


@pytest.fixture
def reader(world: World) -> Visitor:
    return world.browser(world.keys["read"])


@pytest.fixture
def owner(world: World) -> Visitor:
    return world.browser(world.keys["admin"])
