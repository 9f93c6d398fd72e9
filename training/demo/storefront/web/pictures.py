"""Pictures of the products, drawn from category and title: a shape for what it is, colours for whose it is."""

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

from markupsafe import escape

from training.demo.storefront.catalogue import Product

_BRANDS = {
    "Northmill": 212, "Thrifty Fox": 22, "Green Acre": 128, "Casa Alba": 350,
    "Harvest Lane": 42, "Pennyworth": 262, "Wilderoot": 165, "Orsini": 320,
}  # fmt: skip
"""Brand → the hue of its labels."""
_FILL = 'fill="url(#pack)"'


def _carton(_: int) -> str:
    return (
        f'<path d="M106 108l18-40h72l18 40v146H106z" {_FILL}/><path d="M106 108l18-40h72l18 40z" fill="#fff" '
        'opacity=".45"/><path d="M120 56h80v14h-80z" fill="var(--dark)"/>'
        '<path d="M190 70l24 38v146h-24z" opacity=".1"/>'
    )


def _bottle(_: int) -> str:
    return (
        '<rect x="143" y="38" width="34" height="22" rx="5" fill="var(--dark)"/>'
        f'<path d="M146 60h28v30c0 18 32 22 32 56v96a14 14 0 0 1-14 14h-64a14 14 0 0 1-14-14v-96c0-34 32-38 32-56z" '
        f'{_FILL}/><path d="M124 150c0-20 14-30 24-38-8 14-12 26-12 44v84h-12z" fill="#fff" opacity=".3"/>'
    )


def _bag(_: int) -> str:
    return (
        f'<path d="M98 72h124l8 12-8 10 6 162H92l6-162-8-10z" {_FILL}/><path d="M98 72h124l8 12-8 10H98l-8-10z" '
        'fill="var(--dark)" opacity=".85"/><path d="M104 100l-4 150h14l2-150z" fill="#fff" opacity=".25"/>'
    )


def _box(_: int) -> str:
    return (
        f'<path d="M88 96h118v160H88z" {_FILL}/><path d="M206 96l28-18v160l-28 18z" fill="var(--dark)" opacity=".55"/>'
        '<path d="M88 96l28-18h118l-28 18z" fill="#fff" opacity=".5"/>'
    )


def _jar(_: int) -> str:
    return (
        '<rect x="104" y="66" width="112" height="30" rx="8" fill="var(--dark)"/>'
        f'<path d="M108 96h104c12 12 16 22 16 38v100a22 22 0 0 1-22 22h-92a22 22 0 0 1-22-22V134c0-16 4-26 16-38z" '
        f'{_FILL}/><path d="M104 130c0-10 4-18 10-24v138c-6-2-10-6-10-12z" fill="#fff" opacity=".35"/>'
    )


def _can(_: int) -> str:
    return (
        f'<path d="M96 92v146c0 12 28 22 64 22s64-10 64-22V92z" {_FILL}/><ellipse cx="160" cy="92" rx="64" ry="20" '
        'fill="#d7dadd"/><ellipse cx="160" cy="92" rx="50" ry="14" fill="#b9bec4"/><path d="M108 112v126c4 4 8 6 14 8'
        'V116z" fill="#fff" opacity=".3"/>'
    )


def _loaf(_: int) -> str:
    cuts = "".join(
        f'<path d="M{x} 128q14 18 6 44" stroke="#fff" stroke-width="7" opacity=".6"/>' for x in (118, 154, 190)
    )
    return (
        '<path d="M72 176c0-48 40-70 88-70s88 22 88 70c0 14-4 26-10 34H82c-6-8-10-20-10-34z" fill="#c98a45"/>'
        '<path d="M72 176c0-48 40-70 88-70s88 22 88 70c0-34-40-52-88-52s-88 18-88 52z" fill="#e0aa64"/>'
        f'<g fill="none" stroke-linecap="round">{cuts}</g><path d="M96 186h128v70H96z" {_FILL}/>'
    )


def _fruit(hue: int) -> str:
    ball = "".join(
        f'<circle cx="{x}" cy="{y}" r="40" fill="hsl({hue} 68% {light}%)"/>'
        f'<circle cx="{x - 12}" cy="{y - 14}" r="9" fill="#fff" opacity=".4"/>'
        for x, y, light in ((122, 136, 52), (198, 136, 48), (160, 112, 58))
    )
    return (
        f'<path d="M160 76q4-26 30-30-2 26-30 30z" fill="#5b9a4a"/>{ball}'
        f'<path d="M76 160h168l-16 82a16 16 0 0 1-16 14H108a16 16 0 0 1-16-14z" {_FILL}/>'
        '<path d="M72 152h176v16H72z" fill="var(--dark)" opacity=".8"/>'
    )


def _tray(_: int) -> str:
    return (
        f'<rect x="70" y="100" width="180" height="150" rx="20" fill="#eceff1"/><rect x="84" y="114" width="152" '
        f'height="122" rx="12" fill="hsl(8 52% 70%)"/><path d="M96 150q32-24 62 0t62 0v-24H96z" fill="hsl(8 56% 78%)"/>'
        f'<rect x="70" y="176" width="180" height="74" {_FILL}/>'
    )


def _pot(_: int) -> str:
    return (
        '<path d="M214 140h20a24 24 0 0 1 0 66h-20v-16h18a10 10 0 0 0 0-34h-18z" fill="var(--dark)"/>'
        f'<path d="M92 112h124v118a26 26 0 0 1-26 26h-72a26 26 0 0 1-26-26z" {_FILL}/>'
        '<path d="M84 98h140v18H84z" fill="var(--dark)"/><circle cx="154" cy="88" r="11" fill="var(--dark)"/>'
    )


_SHAPES: dict[str, tuple[Callable[[int], str], ...]] = {
    "Dairy": (_carton, _jar), "Drinks": (_bottle, _carton), "Coffee": (_bag, _jar), "Bakery": (_loaf,),
    "Pantry": (_box, _jar, _bag), "Kitchen": (_box,), "Frozen": (_box,), "Cleaning": (_bottle, _box),
    "Pets": (_bag, _can), "Baby": (_box, _can), "World": (_can, _jar), "Fruit": (_fruit,), "Vegetables": (_fruit,),
    "Garden": (_bag,), "Meat": (_tray,), "Fish": (_tray, _can), "Baking": (_bag, _box), "Plant-based": (_tray,),
    "Sweets": (_box, _bag), "Snacks": (_bag, _jar), "Care": (_bottle,),
}  # fmt: skip
"""Category → the shapes that its products have."""
_SHAPE_OF: dict[str, Callable[[int], str]] = {
    "Kettle": _pot, "French Press": _pot, "Coffee Beans": _bag, "Hazelnut Syrup": _bottle, "Olive Oil": _bottle,
    "Spaghetti": _box, "Toilet Paper": _bag, "Hummus": _jar, "Green Tea": _box, "Free-Range Eggs": _box,
}  # fmt: skip
"""Product → its shape, where that of its category would look odd."""
_HUE_OF = {
    "Apples": 4, "Bananas": 48, "Strawberries": 352, "Pumpkin": 26, "Potatoes": 38, "Onions": 32, "Baby Spinach": 108,
    "Cherry Tomatoes": 8,
}  # fmt: skip
"""Fruit or vegetable → its hue."""


@lru_cache(maxsize=700)
def draw_picture(product: Product) -> str:
    """The picture of a product with an English title, as an SVG document of 320 by 320; the same one each time."""
    brand = next((name for name in _BRANDS if product.title.startswith(name)), "")
    words = product.title.removeprefix(brand).split()
    what, size = " ".join(words[:-1]) or product.title, words[-1] if len(words) > 1 else ""
    draw = int.from_bytes(blake2b(what.encode(), digest_size=4).digest(), "big")
    shapes = _SHAPES.get(product.category, (_box,))
    hue, pack = draw % 360, _BRANDS.get(brand, draw % 360)
    # what is long is set as wide as the label
    fit = 'textLength="104" lengthAdjust="spacingAndGlyphs"' if len(what) > 11 else ""
    shape = _SHAPE_OF.get(what, shapes[draw % len(shapes)])
    label = (
        '<g text-anchor="middle" font-family="Georgia,serif" fill="var(--dark)"><rect x="100" y="176" width="120" '
        'height="66" rx="6" fill="#fffdf7"/><path d="M108 184h104M108 234h104" stroke="var(--dark)" opacity=".35"/>'
        f'<text x="160" y="205" font-size="15" font-weight="700" {fit}>'
        f'{escape(what)}</text><text x="160" y="225" font-size="13" font-family="sans-serif">{escape(size)}</text></g>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 320" width="320" height="320" '
        f'style="--dark:hsl({pack} 45% 26%)"><defs><linearGradient id="pack"><stop stop-color="hsl({pack} 44% 62%)"/>'
        f'<stop offset="1" stop-color="hsl({pack} 42% 45%)"/></linearGradient></defs>'
        f'<rect width="320" height="320" fill="hsl({hue} 38% 93%)"/>'
        f'<circle cx="160" cy="160" r="128" fill="hsl({hue} 46% 87%)"/>'
        f'<ellipse cx="160" cy="260" rx="92" ry="12" fill="hsl({hue} 25% 40%)" opacity=".28"/>'
        f"{shape(_HUE_OF.get(what, hue))}{label}</svg>"
    )
