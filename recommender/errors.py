"""Exceptions of Reprise, one tree.

    RepriseError
    ├── UsageError                 an argument or a setting is wrong
    │   └── SettingsError
    ├── DataError                  the purchase or product file cannot be used
    │   ├── UnreadableFileError
    │   ├── MissingColumnError
    │   ├── UnclearInputError      a cell could mean two things
    │   ├── TooManyBadRowsError
    │   └── TooLittleDataError
    ├── GateRefusedError           the new model is worse than what it must beat
    ├── BusyError                  another training or publish is running
    ├── MailError                  a mail cannot be made, or the mail server will not take it
    ├── DatabaseError              a database of the shop cannot be read
    ├── HomeError                  a file under REPRISE_HOME cannot be written or read back
    ├── StoreError                 Redis
    │   ├── StoreUnavailableError
    │   │   ├── UnansweredError    whether it was done is not known
    │   │   └── NotPermittedError  the user of Redis may not
    │   ├── OverloadedError        nothing was done: no time, or no thread, was left for it
    │   ├── StoreFullError
    │   ├── BackPressureError
    │   ├── IncompletePublishError
    │   └── VersionNotFoundError
    └── RequestError               what a caller of the API asked for
        ├── InvalidRequestError
        │   └── NothingAcceptedError
        ├── UnauthorizedError
        ├── ForbiddenError
        ├── TooManyRequestsError
        ├── EventRejectedError
        ├── ForgedLinkError
        ├── NoMailSecretError
        ├── UnknownCustomerError
        ├── UnknownProductError
        ├── UnknownCampaignError
        ├── ChangedMeanwhileError   somebody else was quicker
        ├── CampaignConflictError
        └── UnknownPlacementError

Each message names the value and the remedy. Exit codes are decided in `recommender.cli.main`, HTTP statuses in
`api.web.problems`.
"""


class RepriseError(Exception):
    """Base of all exceptions. `code` is the machine-readable name of the class of error."""

    code = "error"


class UsageError(RepriseError):
    """An argument is wrong."""

    code = "usage"


class SettingsError(UsageError):
    """A setting in the environment or in the settings file is unknown or has a value that cannot be."""

    code = "settings"


class DataError(RepriseError):
    """The purchase or product file cannot be used."""

    code = "bad_data"


class UnreadableFileError(DataError):
    """A file is absent, empty, of the wrong kind, wrongly encoded, or changed while it was read."""

    code = "unreadable_file"


class MissingColumnError(DataError):
    """A required column is not in the file.

    Attributes:
        problem: what is missing, as a sentence that the options end.
        options: those of the command line with which the file may be read; empty where nothing can be proposed.
        proposed: the same as reading options; empty where something is left to be said.
        reasons: our column → why another is proposed for it.
    """

    code = "missing_column"

    def __init__(
        self,
        problem: str,
        options: str = "",
        proposed: dict[str, object] | None = None,
        reasons: dict[str, str] | None = None,
    ) -> None:
        self.problem = f"{problem}; if that is right" if proposed else f"{problem}; say which they are"
        super().__init__(f"{self.problem}, add {options}" if options else problem)
        self.options = options
        self.proposed = dict(proposed or {})
        self.reasons = dict(reasons or {})


class UnclearInputError(DataError):
    """A file could mean two things, and only the user knows which; the message names the options that say it."""

    code = "unclear_input"


class TooManyBadRowsError(DataError):
    """More rows are bad than `max_bad_rows_share` allows."""

    code = "too_many_bad_rows"


class TooLittleDataError(DataError):
    """The file is readable, but there is not enough in it to learn from."""

    code = "too_little_data"


class GateRefusedError(RepriseError):
    """The new model does not beat what it must beat; the current version keeps serving."""

    code = "gate_refused"


class BusyError(RepriseError):
    """Another training or publish of the same shop is running."""

    code = "busy"


class MailError(RepriseError):
    """A mail cannot be made, or the mail server will not take it."""

    code = "mail"


class DatabaseError(RepriseError):
    """A database or an object store cannot be reached, refused a query, broke off, or took longer than it may."""

    code = "database"


class HomeError(RepriseError):
    """A file under REPRISE_HOME cannot be written (full disk, no permission) or does not match its checksum."""

    code = "home"


class StoreError(RepriseError):
    """Redis refused or failed."""

    code = "store"


class StoreUnavailableError(StoreError):
    """Redis cannot be reached or did not answer in time."""

    code = "store_unavailable"
    retry_after_s = 1


class UnansweredError(StoreUnavailableError):
    """A command was sent to Redis and no answer came: whether it was done is not known."""

    code = "outcome_unknown"


class NotPermittedError(StoreUnavailableError):
    """The user of Redis has no right to a command."""

    code = "store_not_permitted"


class OverloadedError(StoreError):
    """The service has more to do than it can in time. Nothing was done. `retry_after_s` tells when to try again."""

    code = "overloaded"
    retry_after_s = 1


class StoreFullError(StoreError):
    """What was sent, or a version, does not fit in the memory that Redis may use; nothing was swapped."""

    code = "store_full"


class BackPressureError(StoreError):
    """Events come faster than workers archive them: the stream is at its bound. `retry_after_s` tells when to retry."""

    code = "back_pressure"
    retry_after_s = 5


class IncompletePublishError(StoreError):
    """What was counted back differs from what was written; nothing was swapped."""

    code = "incomplete_publish"


class VersionNotFoundError(StoreError):
    """No published version of that name, or none to roll back to."""

    code = "version_not_found"


class RequestError(RepriseError):
    """A caller of the API asked for something that cannot be answered."""

    code = "request"


class InvalidRequestError(RequestError):
    """A parameter or body field is wrong. `errors` holds one {"field", "message"} each."""

    code = "invalid_request"

    def __init__(self, message: str, errors: list[dict[str, str]]) -> None:
        super().__init__(message)
        self.errors = errors


class NothingAcceptedError(InvalidRequestError):
    """Each part of a request was judged alone, and all were rejected. `errors` holds the first, with their `code`."""

    code = "nothing_accepted"


class UnauthorizedError(RequestError):
    """The request carries no key or token that is known, or one that has expired."""

    code = "unauthorized"


class ForbiddenError(RequestError):
    """The key is known and does not open this route, this customer or this origin."""

    code = "forbidden"


class TooManyRequestsError(RequestError):
    """The key asked more often than it may. `retry_after_s` tells when to ask again."""

    code = "too_many_requests"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class EventRejectedError(RequestError):
    """One event cannot be accepted; the others of the same request can. `reason` is its machine-readable name."""

    code = "event_rejected"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ForgedLinkError(RequestError):
    """A link of a mail that was not signed by this service."""

    code = "forged_link"


class NoMailSecretError(RequestError):
    """This server has no mail secret, so that it can read no link of a mail."""

    code = "no_mail_secret"


class UnknownCustomerError(RequestError):
    """The current version does not know a customer."""

    code = "unknown_customer"


class UnknownCampaignError(RequestError):
    """No campaign of this id was begun, or it is no longer kept."""

    code = "unknown_campaign"


class ChangedMeanwhileError(RequestError):
    """Somebody else has changed the same thing since it was looked at. Nothing was done."""

    code = "changed_meanwhile"


class CampaignConflictError(RequestError):
    """A campaign of this id was begun with another audience or another number of slots."""

    code = "campaign_conflict"


class UnknownProductError(RequestError):
    """The product is not in the published version."""

    code = "unknown_product"


class UnknownPlacementError(RequestError):
    """No placement of that name is configured."""

    code = "unknown_placement"
