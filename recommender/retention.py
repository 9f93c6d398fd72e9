"""Retention periods of personal data in Redis, of contacts and of campaigns.

A published version is kept while it is one of the newest (`keep_versions`), and archived events until the shop deletes
their files. An erasure deletes a person's data from all of these at once (`reprise erase`).
"""

from typing import Literal, get_args

from recommender.days import SECONDS_PER_DAY

PersonalPart = Literal["orders", "session", "shown", "hidden", "folded", "standing", "mails"]
"""Part of the data of one person (a customer, or an anonymous session) outside of the versions.

orders: purchases and refunds. session: views, clicks and carts. shown: impressions. hidden: products not to be shown.
folded: a `discover` list made since the training. standing: consent, bounces, complaints and subscriptions to products.
mails: contacts.
"""
PERSONAL_PARTS: tuple[PersonalPart, ...] = get_args(PersonalPart)
"""Parts that an erasure deletes: all."""
CONTACTS_KEPT_DAYS = 90
"""Days that a contact, a campaign as it began, and the outbox of its mails are kept."""
KEPT_S: dict[PersonalPart, int] = {
    "orders": 60 * SECONDS_PER_DAY,
    "session": 7 * SECONDS_PER_DAY,
    "shown": 7 * SECONDS_PER_DAY,
    "hidden": 365 * SECONDS_PER_DAY,
    "folded": 7 * SECONDS_PER_DAY,
    "mails": CONTACTS_KEPT_DAYS * SECONDS_PER_DAY,
}
"""Seconds that a part is kept after its last change; parts not named here are kept until the person is erased.

Training has learned from events by then, and makes a better `discover` list.
"""
STANDING_KEPT_S = 3 * 365 * SECONDS_PER_DAY
"""Seconds that consent and subscriptions are kept after the last of them; who unsubscribed, complained or whose mails
came back stays known until the person is erased: what forgets an objection writes to those who made it."""
MOST_HIDDEN = 1_000
"""Products of one person that are not to be shown; one more drives out any of them."""
MOST_MARKS = 1_000
"""Marks of one person; one more subscription to a product drives out an old one."""
ANSWER_PARTS: tuple[PersonalPart, ...] = ("orders", "session", "shown", "hidden", "folded")
"""Parts that an answer to a person reads, in their order."""
CONTACT_PARTS: tuple[PersonalPart, ...] = ("standing", "mails", "orders")
"""Parts that decide whether a mail may be sent, in the order of reading."""
EVENT_ID_KEPT_S = 7 * SECONDS_PER_DAY
"""The one definition of the same event: it has the event id of an event that was accepted less than so many seconds
before. The first one counts. An id that is used again later is another event, for whoever accepts events (their ids are
kept for so long) and for whoever reads the archive."""
PUBLIC_EVENT_ID_KEPT_S = 300
"""Likewise where a browser told of it: strangers can make up ids, which must not fill Redis. Whoever reads the archive
knows them for EVENT_ID_KEPT_S all the same."""
JOB_KEPT_S = 7 * SECONDS_PER_DAY
"""Seconds that a pick job and its rows are kept after the last change."""
