"""What may be done with campaigns: begun, cancelled, and tried out by mails to colleagues."""

import time
from collections.abc import Mapping
from functools import partial

from api.console.campaigns.mails import preview, seeds_of
from api.console.campaigns.planning import Wanted, context_of, why_refused
from api.console.changing.errands import errands
from api.console.changing.noting import note
from api.console.refusals import RefusedError
from api.console.visit import Visit
from api.web.access_log import log
from recommender.campaigns.cancel import cancel_campaign
from recommender.campaigns.mail.mail_server import is_this_machine, parse_server
from recommender.campaigns.mail.mailbox import Mailbox
from recommender.campaigns.mail.message import make_message_builder
from recommender.campaigns.mail.render import Rendered
from recommender.campaigns.mail.seeds import SeedMails, check_seeds
from recommender.campaigns.mail.smtp import Session
from recommender.campaigns.run import begin_campaign, count_blocks
from recommender.errors import MailError, UsageError
from recommender.storage.pick_jobs import PickJob

SMTP_TIMEOUT_S = 10.0
"""Longest wait for one answer of the mail server."""
PAUSE_S = 0.005
"""Between two blocks of customers that are set free: answers come first."""


def begin(visit: Visit, wanted: Wanted) -> None:
    """Begin a campaign, whose picks `reprise worker` makes. Raises RefusedError, or VersionNotFoundError."""
    context = context_of(visit)
    try:
        campaign = begin_campaign(context, *wanted, visit.now)
    except UsageError:
        raise why_refused(visit, wanted.campaign_id) from None
    job = visit.service.shops.storage.jobs(visit.shop).add(PickJob(campaign, count_blocks(campaign, context)))
    note(visit, "campaign", wanted.campaign_id, None, {"audience": wanted.audience, "slots": job.campaign.slots})


def cancel(visit: Visit, campaign_id: str) -> None:
    """Have a campaign choose nobody else, and then set free, as an errand, who was chosen and not written to.

    May be asked again, as after a process that ended before all were free. Raises UnknownCampaignError.
    """
    cancelled = visit.service.shops.storage.contacts(visit.shop).cancel(campaign_id, visit.now)
    at = cancelled.cancelled_at and f"{cancelled.cancelled_at:%Y-%m-%dT%H:%M:%SZ}"
    note(visit, "cancel", campaign_id, None, {"cancelled_at": at})
    errands().add(partial(_set_free, visit, campaign_id))


def _set_free(visit: Visit, campaign_id: str) -> None:
    done = cancel_campaign(context_of(visit), campaign_id, visit.now, lambda: time.sleep(PAUSE_S))
    note(visit, "freed", campaign_id, None, {"customers": done.released})


def send_test(visit: Visit, asked: Mapping[str, str]) -> None:
    """Send a customer's mail to the colleagues of the settings, as an errand; nothing is begun, claimed or counted.

    Raises:
        RefusedError: no mail server, sender or colleagues are set for this shop, or the customer would get no mail.
        MailError: the template cannot be filled.
    """
    settings, wanted = visit.service.settings, seeds_of(visit)
    server, sender = settings.mail.smtp, settings.mail.smtp_from
    if not (server and sender and wanted):
        raise RefusedError("no_test_mails")
    campaign, found = preview(visit, asked)
    if found.mail is None:
        raise RefusedError("no_mail")
    mail: Rendered = found.mail
    password = settings.smtp_password
    try:
        seeds = check_seeds(wanted)
        address = parse_server(server, password.get_secret_value() if password else None)
        public = not is_this_machine(address.host)
        builder = make_message_builder(
            settings.mail, visit.shop, campaign.campaign_id, sender, public=public, is_test=True
        )
    except UsageError as error:
        log().error("console_mail_settings", detail=str(error))
        raise RefusedError("mail_settings") from None
    mails = SeedMails(builder, Session(address, SMTP_TIMEOUT_S), lambda _to: mail, visit.service.clock)
    note(visit, "test_mail", campaign.campaign_id, None, {"customer": found.customer_id, "addresses": len(seeds)})
    errands().add(partial(_send, visit, campaign.campaign_id, mails, seeds))


def _send(visit: Visit, campaign_id: str, mails: SeedMails, seeds: list[Mailbox]) -> None:
    try:
        told: Mapping[str, object] = {reply: n for reply, n in mails.send(seeds).items() if n}
    except MailError as error:
        told = {"error": str(error)}
    note(visit, "test_mail_sent", campaign_id, None, told)
