"""How long what is kept: of people in Redis, of mails, of campaigns. The one page that answers it.

Besides: a published version is kept while it is one of the newest (`keep_versions`), and archived events until the shop
deletes their files. An erasure deletes a person's data from all of these at once (`reprise erase`).
"""

from typing import Literal, get_args

from recommender.days import SECONDS_PER_DAY

PersonalPart = Literal["orders", "session", "shown", "hidden", "folded", "standing", "mails"]
"""What is kept of one person (a customer, or an anonymous session) outside of the versions.

orders: purchases and refunds. session: views, clicks and carts. shown: impressions. hidden: products not to be shown.
folded: a `discover` list made since the training. standing: what a customer, or a mail server, said of mails and of
subscriptions to products. mails: contacts.
"""
PERSONAL_PARTS: tuple[PersonalPart, ...] = get_args(PersonalPart)
"""What an erasure deletes."""
CONTACTS_KEPT_DAYS = 90
"""Contacts, after each; campaigns as they were begun, and the outboxes of their mails."""
KEPT_S: dict[PersonalPart, int] = {
    "orders": 60 * SECONDS_PER_DAY,
    "session": 7 * SECONDS_PER_DAY,
    "shown": 7 * SECONDS_PER_DAY,
    "folded": 7 * SECONDS_PER_DAY,
    "mails": CONTACTS_KEPT_DAYS * SECONDS_PER_DAY,
}
"""Seconds that a part is kept after what came last to it; those not named here until the person is erased.

Training has learned from events by then, and makes a better `discover` list.
"""
ANSWER_PARTS: tuple[PersonalPart, ...] = ("orders", "session", "shown", "hidden", "folded")
"""What an answer to a person is made from, in the order that it is read in."""
CONTACT_PARTS: tuple[PersonalPart, ...] = ("standing", "mails", "orders")
"""What decides whether a customer may be written to, in the order that it is read in."""
EVENT_ID_KEPT_S = 7 * SECONDS_PER_DAY
"""An event id that comes again within this time is the same event."""
JOB_KEPT_S = 7 * SECONDS_PER_DAY
"""A campaign's picks that were made in the background, and how far they are, after the last change."""
