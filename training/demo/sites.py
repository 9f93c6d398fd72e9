"""Where the made-up shop's web site is, and under which names the service knows its languages."""

from recommender.settings import Settings


def service_address(settings: Settings) -> str:
    """The address of the service."""
    return f"http://{settings.host}:{settings.port}"


def storefront_port(settings: Settings) -> int:
    """The port of the web site: the one after the service's."""
    return settings.port + 1


def storefront_address(settings: Settings) -> str:
    """The address of the web site."""
    return f"http://{settings.host}:{storefront_port(settings)}"


def persian_site(shop: str) -> str:
    """The name under which the service knows the Persian site of `shop`."""
    return f"{shop}-fa"
