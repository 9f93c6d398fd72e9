"""The assortment of the made-up shop: needs (milk, coffee, a kettle), and the products that meet each of them.

A need is what a household runs out of; its products differ by brand and pack size and replace each other.
"""

from dataclasses import dataclass

BRANDS = ("Northmill", "Thrifty Fox", "Green Acre", "Casa Alba", "Harvest Lane", "Pennyworth", "Wilderoot", "Orsini")
STYLES = ("classic", "budget", "organic", "premium")
"""Brand i has style i mod 4; a household leans towards one style."""
STYLE_PRICE = (1.0, 0.75, 1.3, 1.6)
SIZE_STRETCH = (1.0, 1.4, 0.7)
"""How long a pack lasts compared with the standard one: standard, large, small."""
SIZE_PRICE = (1.0, 1.75, 0.6)
FEWEST_NEEDS = 15
"""Even the smallest shop has the first needs of the table: they are what examples and tests speak of."""
DURABLE_GAP_DAYS = 400

# key | title | category | median days between two purchases | price | taste | share of the households of that taste
# that buy it | season | pack sizes: standard, large, small | companion: bought along with it, and how often
_TABLE = """
MILK       |Whole Milk        |Dairy      |7   |1.20 |everyone|.30|           |1L 2L 500ml       |
BREAD      |Sourdough Bread   |Bakery     |7   |2.90 |everyone|.26|           |750g 1kg 500g     |
COFFEE     |Coffee Beans      |Coffee     |30  |12.90|coffee  |.75|           |1kg 2kg 500g      |FILTERS .20
FILTERS    |Coffee Filters    |Coffee     |70  |2.40 |coffee  |.15|           |100 200 50        |
PASTA      |Spaghetti         |Pantry     |21  |1.60 |everyone|.24|           |500g 1kg 250g     |SAUCE .50
SAUCE      |Tomato Pasta Sauce|Pantry     |35  |2.80 |everyone|.06|           |400g 700g 250g    |
KETTLE     |Kettle            |Kitchen    |1000|34.90|home    |.90|           |1.7L 2L 1L        |
ICECREAM   |Vanilla Ice Cream |Frozen     |12  |4.50 |sweet   |.50|peak=200/32|1L 2L 500ml       |
LAUNDRY    |Laundry Detergent |Cleaning   |56  |9.90 |home    |.75|           |2L 4L 1L          |SOFTENER .25
DOGFOOD    |Dog Food          |Pets       |30  |24.90|dog     |.90|           |10kg 15kg 5kg     |DOGSNACK .30
NAPPIES    |Nappies           |Baby       |16  |11.90|baby    |.90|           |60 120 30         |WIPES .50
TACOS      |Taco Shells       |World      |28  |2.60 |world   |.40|           |12 24 6           |SALSA .70
SALSA      |Tomato Salsa      |World      |45  |2.90 |world   |.08|           |300g 600g 200g    |
MULLED     |Mulled Wine       |Drinks     |14  |4.90 |host    |.45|peak=345/16|1L 2L 500ml       |GINGERBREAD .30
OATBARISTA |Barista Oat Drink |Drinks     |10  |2.50 |coffee  |.40|new=80     |1L 1.5L 500ml     |
EGGS       |Free-Range Eggs   |Dairy      |12  |3.40 |everyone|.18|           |10 20 6           |
BANANAS    |Bananas           |Fruit      |7   |1.90 |family  |.30|           |1kg 2kg 500g      |
CATFOOD    |Cat Food          |Pets       |28  |18.90|cat     |.90|           |4kg 8kg 2kg       |CATSNACK .25
LITTER     |Cat Litter        |Pets       |32  |8.90 |cat     |.70|           |10L 20L 5L        |
CHARCOAL   |Barbecue Charcoal |Garden     |24  |7.90 |meat    |.45|peak=185/38|3kg 6kg 2kg       |SAUSAGES .60
SAUSAGES   |Grill Sausages    |Meat       |28  |5.90 |meat    |.15|           |400g 800g 200g    |MUSTARD .20
FLOUR      |Wheat Flour       |Baking     |30  |1.10 |baker   |.70|           |1kg 2.5kg 500g    |YEAST .40
YEAST      |Dry Yeast         |Baking     |60  |1.30 |baker   |.20|           |3 6 1             |
TOFU       |Smoked Tofu       |Plant-based|10  |2.90 |veggie  |.45|           |200g 400g 150g    |
HUMMUS     |Hummus            |Plant-based|14  |2.40 |veggie  |.40|           |200g 400g 150g    |PITA .45
PAN        |Frying Pan        |Kitchen    |1200|39.90|home    |.90|           |28cm 32cm 20cm    |
YOGHURT    |Plain Yoghurt     |Dairy      |9   |1.80 |everyone|.12|           |500g 1kg 150g     |
BUTTER     |Butter            |Dairy      |18  |2.60 |everyone|.14|           |250g 500g 125g    |
CHEDDAR    |Cheddar           |Dairy      |16  |4.20 |everyone|.10|           |300g 600g 150g    |CRACKERS .20
APPLES     |Apples            |Fruit      |12  |3.20 |health  |.30|           |1kg 2kg 500g      |
RICE       |Basmati Rice      |Pantry     |50  |3.90 |everyone|.14|           |1kg 5kg 500g      |
OLIVEOIL   |Olive Oil         |Pantry     |75  |9.50 |everyone|.16|           |750ml 1.5L 500ml  |
WIPES      |Baby Wipes        |Baby       |24  |3.50 |baby    |.40|           |4x80 8x80 80      |
BABYFOOD   |Carrot Puree      |Baby       |9   |1.20 |baby    |.55|           |190g 6x190g 125g  |
FORMULA    |Follow-On Formula |Baby       |14  |15.90|baby    |.40|           |800g 1.2kg 400g   |
DOGSNACK   |Dog Chews         |Pets       |30  |4.90 |dog     |.30|           |200g 500g 100g    |
CATSNACK   |Cat Treats        |Pets       |30  |2.20 |cat     |.30|           |60g 180g 30g      |
PITA       |Pita Bread        |Bakery     |21  |1.90 |veggie  |.15|           |6 12 4            |
BURGERS    |Beef Burgers      |Meat       |24  |6.90 |meat    |.45|           |4 8 2             |BUNS .65
BUNS       |Burger Buns       |Bakery     |35  |1.90 |meat    |.10|           |6 12 4            |
CHICKEN    |Chicken Breast    |Meat       |12  |7.90 |meat    |.45|           |600g 1kg 300g     |
BACON      |Bacon             |Meat       |16  |3.50 |meat    |.35|           |200g 400g 100g    |
SALMON     |Smoked Salmon     |Fish       |26  |6.50 |host    |.30|           |200g 400g 100g    |
TUNA       |Tuna in Olive Oil |Fish       |35  |2.90 |health  |.30|           |3x80g 6x80g 80g   |
VEGMINCE   |Veggie Mince      |Plant-based|16  |3.60 |veggie  |.40|           |275g 550g 180g    |
OATDRINK   |Oat Drink         |Drinks     |9   |1.90 |veggie  |.40|           |1L 6x1L 500ml     |
ESPRESSO   |Espresso Capsules |Coffee     |26  |6.90 |coffee  |.40|           |20 50 10          |
SYRUP      |Hazelnut Syrup    |Coffee     |60  |5.90 |coffee  |.25|           |700ml 1L 250ml    |
CHOCOLATE  |Dark Chocolate    |Sweets     |18  |2.20 |sweet   |.50|           |100g 300g 50g     |
COOKIES    |Butter Cookies    |Sweets     |20  |2.40 |sweet   |.45|           |250g 500g 125g    |
GUMMIES    |Fruit Gummies     |Sweets     |22  |1.70 |family  |.35|           |300g 1kg 100g     |
CEREAL     |Crunchy Muesli    |Pantry     |24  |3.90 |family  |.45|           |750g 1.5kg 375g   |MILK .35
JUICE      |Orange Juice      |Drinks     |10  |2.60 |family  |.35|           |1L 2L 250ml       |
FISHSTICKS |Fish Fingers      |Frozen     |24  |3.90 |family  |.40|           |15 30 10          |
KETCHUP    |Tomato Ketchup    |Pantry     |60  |2.40 |family  |.45|           |500ml 1L 250ml    |
PIZZA      |Pizza Margherita  |Frozen     |18  |3.20 |family  |.40|           |350g 3x350g 250g  |
PEAS       |Garden Peas       |Frozen     |35  |2.10 |health  |.35|           |750g 1.5kg 450g   |
SPINACH    |Baby Spinach      |Vegetables |9   |2.20 |health  |.30|           |200g 500g 100g    |
TOMATOES   |Cherry Tomatoes   |Vegetables |9   |2.50 |health  |.35|           |500g 1kg 250g     |
ONIONS     |Onions            |Vegetables |24  |1.40 |everyone|.14|           |1kg 2kg 500g      |
POTATOES   |Potatoes          |Vegetables |20  |2.60 |everyone|.14|           |2kg 5kg 1kg       |
ALMONDS    |Almonds           |Snacks     |28  |4.90 |health  |.40|           |200g 500g 100g    |
PROTEIN    |Protein Bars      |Snacks     |14  |9.90 |health  |.25|           |12 24 6           |
GRANOLA    |Seed Granola      |Pantry     |24  |4.60 |health  |.35|           |500g 1kg 250g     |YOGHURT .35
CRISPS     |Sea Salt Crisps   |Snacks     |14  |2.10 |host    |.45|           |150g 300g 75g     |DIP .30
DIP        |Sour Cream Dip    |Snacks     |40  |1.90 |host    |.10|           |200g 400g 100g    |
CRACKERS   |Rye Crackers      |Snacks     |40  |2.70 |host    |.20|           |250g 500g 125g    |
OLIVES     |Green Olives      |Snacks     |35  |2.90 |host    |.35|           |150g 500g 75g     |
SPARKLING  |Sparkling Water   |Drinks     |10  |3.90 |host    |.35|           |6x1L 12x1L 6x500ml|
TORTILLAS  |Wheat Tortillas   |World      |24  |2.10 |world   |.45|           |8 16 4            |BEANS .40
BEANS      |Black Beans       |World      |45  |1.30 |world   |.15|           |400g 800g 240g    |
SOYSAUCE   |Soy Sauce         |World      |90  |3.90 |world   |.45|           |250ml 500ml 150ml |
NOODLES    |Rice Noodles      |World      |30  |2.20 |world   |.45|           |400g 800g 200g    |
COCONUT    |Coconut Milk      |World      |28  |1.90 |world   |.40|           |400ml 1L 200ml    |CURRY .35
CURRY      |Red Curry Paste   |World      |75  |2.60 |world   |.12|           |200g 400g 50g     |
SUGAR      |Cane Sugar        |Baking     |60  |1.80 |baker   |.50|           |1kg 2kg 500g      |
VANILLA    |Vanilla Sugar     |Baking     |50  |1.40 |baker   |.40|           |10 20 5           |
COCOA      |Baking Cocoa      |Baking     |70  |3.20 |baker   |.40|           |250g 500g 125g    |
PANCAKES   |Pancake Mix       |Baking     |35  |2.30 |baker   |.30|           |400g 800g 200g    |MAPLE .45
MAPLE      |Maple Syrup       |Baking     |90  |7.90 |baker   |.10|           |250ml 500ml 100ml |
MIXER      |Hand Mixer        |Kitchen    |1300|44.90|baker   |.90|           |400W 600W 300W    |
BAKINGTIN  |Loaf Tin          |Kitchen    |900 |14.90|baker   |.90|           |25cm 30cm 20cm    |
FRENCHPRESS|French Press      |Kitchen    |900 |27.90|coffee  |.90|           |1L 1.5L 350ml     |
GRINDER    |Coffee Grinder    |Kitchen    |1400|49.90|coffee  |.45|           |150W 200W 100W    |
KNIFE      |Chef's Knife      |Kitchen    |1600|54.90|home    |.45|           |20cm 25cm 16cm    |
TOASTER    |Toaster           |Kitchen    |1200|36.90|home    |.45|           |800W 1200W 600W   |
SOFTENER   |Fabric Softener   |Cleaning   |70  |3.90 |home    |.25|           |1.5L 3L 750ml     |
DISHTABS   |Dishwasher Tablets|Cleaning   |60  |11.90|home    |.65|           |60 100 30         |
TOILET     |Toilet Paper      |Cleaning   |35  |6.90 |home    |.65|           |16 32 8           |
BINBAGS    |Bin Bags          |Cleaning   |65  |2.90 |home    |.45|           |40 80 20          |
SOAP       |Hand Soap         |Care       |55  |2.20 |home    |.45|           |500ml 1L 250ml    |
SHAMPOO    |Shampoo           |Care       |60  |4.90 |everyone|.16|           |300ml 500ml 100ml |
TOOTHPASTE |Toothpaste        |Care       |50  |2.60 |everyone|.16|           |75ml 3x75ml 25ml  |
SUNSCREEN  |Sunscreen SPF 50  |Care       |30  |11.90|family  |.50|peak=190/30|200ml 400ml 100ml |
GINGERBREAD|Gingerbread       |Sweets     |14  |3.50 |sweet   |.45|peak=345/20|400g 800g 200g    |
STRAWBERRY |Strawberries      |Fruit      |7   |3.90 |family  |.40|peak=160/20|500g 1kg 250g     |
PUMPKIN    |Pumpkin           |Vegetables |14  |3.50 |veggie  |.40|peak=295/22|1kg 2kg 500g      |
MUSTARD    |Dijon Mustard     |Pantry     |80  |2.30 |meat    |.30|           |200g 400g 100g    |
KOMBUCHA   |Ginger Kombucha   |Drinks     |10  |2.90 |health  |.35|new=150    |330ml 750ml 250ml |
TEA        |Green Tea         |Drinks     |40  |3.60 |health  |.35|           |50 100 20         |
"""


@dataclass(frozen=True)
class Need:
    """A need of households, with its purchase gap, season and price.

    Attributes:
        key: first part of its products' ids.
        title, category, price: of the standard product; the price is in euros.
        gap_days: median days between two purchases of one household.
        taste: households that want it; `everyone` for all.
        reach: share of those households that buy it in this shop.
        peak: day of the year of the season's peak and its standard deviation in days; None: all year.
        new_days: launched so many days before the end, growing since; None: always there.
        sizes: standard, large and small pack.
        companion: key of what is bought along with it, and how often; None where nothing is.
    """

    key: str
    title: str
    category: str
    gap_days: float
    price: float
    taste: str
    reach: float
    peak: tuple[float, float] | None
    new_days: float | None
    sizes: tuple[str, ...]
    companion: tuple[str, float] | None


@dataclass(frozen=True)
class ShopProduct:
    """One product: a brand and a pack size that meet a need. `need` is the need's position in the shop."""

    product_id: str
    title: str
    category: str
    price: float
    need: int
    style: int
    stretch: float
    durable: bool


def pick_needs(n_products: int) -> list[Need]:
    """The first needs of the table, about six products each and at least `FEWEST_NEEDS`."""
    return list(NEEDS[: max(FEWEST_NEEDS, n_products // 6)])


def make_products(needs: list[Need], n_products: int) -> list[ShopProduct]:
    """`n_products` products in all, the standard product of every need first, then its substitutes."""
    return [_make_product(number, number % len(needs), needs) for number in range(n_products)]


def _make_product(number: int, position: int, needs: list[Need]) -> ShopProduct:
    need, variant = needs[position], number // len(needs)
    # steps of 3 through 8 brands: the first four variants have the four styles, and no brand comes twice
    brand, size = (position + 3 * variant) % len(BRANDS), variant // 2 % len(need.sizes)
    suffix = f"-{BRANDS[brand].replace(' ', '').upper()}" if variant else ""
    # now and then an id of the shop's old till, with leading zeros
    old_id = f"{417 + number:05d}" if variant and number % 23 == 0 else None
    price = need.price * STYLE_PRICE[brand % len(STYLES)] * SIZE_PRICE[size] / STYLE_PRICE[position % len(STYLES)]
    return ShopProduct(
        product_id=old_id or f"{need.key}-{need.sizes[size].upper()}{suffix}",
        title=f"{BRANDS[brand]} {need.title} {need.sizes[size]}",
        category=need.category,
        price=round(price, 1),
        need=position,
        style=brand % len(STYLES),
        stretch=SIZE_STRETCH[size],
        durable=need.gap_days >= DURABLE_GAP_DAYS,
    )


def _parse_need(line: str) -> Need:
    key, title, category, gap, price, taste, reach, season, sizes, companion = (
        part.strip() for part in line.split("|")
    )
    name, _, value = season.partition("=")
    day, _, width = value.partition("/")
    other, _, share = companion.partition(" ")
    return Need(
        key=key,
        title=title,
        category=category,
        gap_days=float(gap),
        price=float(price),
        taste=taste,
        reach=float(reach),
        peak=(float(day), float(width)) if name == "peak" else None,
        new_days=float(value) if name == "new" else None,
        sizes=tuple(sizes.split()),
        companion=(other, float(share)) if companion else None,
    )


NEEDS = tuple(_parse_need(line) for line in _TABLE.strip().splitlines())
FEWEST_PRODUCTS = 2 * FEWEST_NEEDS
MOST_PRODUCTS = len(BRANDS) * len(NEEDS)
