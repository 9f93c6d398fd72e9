"""Settings: the environment (`REPRISE_*`), then the settings file, then the defaults below.

A nested field is written `REPRISE_ALS__FACTORS=96` in the environment and `[als] factors = 96` in the file, which is
the first that there is of: the one that REPRISE_CONFIG (or `--config`) names, `reprise.toml` under REPRISE_HOME, and
`reprise.toml` in the working folder.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ByteSize, ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import (
    SettingsError as PydanticSettingsError,
)

from recommender.currency import CurrencyCode
from recommender.errors import SettingsError
from recommender.experiments.experiment import Experiments
from recommender.reading import FormatSettings, ReadingOptions
from recommender.slate.placements import DEFAULT_PLACEMENTS, Placement
from recommender.words.language import Language, LocaleTag, get_language

ENV_PREFIX = "REPRISE_"
CONFIG_VARIABLE = "REPRISE_CONFIG"
"""Names the settings file; no setting itself, as the file cannot say where it is."""
_FILE = "reprise.toml"
MOST_HELD_OUT = 0.5
"""Largest share of customers that may be held out from mails."""


class AlsSettings(BaseModel):
    """Settings of the collaborative-filtering model (`[als]` in `reprise.toml`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    factors: int = Field(default=64, ge=1, le=1024)
    """Numbers that describe one customer or product."""
    iterations: int = Field(default=15, ge=1, le=200)
    """Rounds of the fit."""
    regularization: float = Field(default=10.0, ge=0)
    """Tastes weaker than this are forgotten; in a small shop a quarter of its strongest taste at most."""
    alpha: float = Field(default=3.0, gt=0)
    """A purchase of the last day is trusted alpha · log 2 times as much as an absence."""
    weighting: Literal["binary", "log"] = "log"
    """What the matrix holds: `log`: log(1 + decayed purchases); `binary`: 1."""
    half_life_days: float = Field(default=20.0, gt=0)
    """A purchase this old counts half."""


class MailSettings(BaseModel):
    """Settings of mails and their links (`[mail]` in `reprise.toml`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    secret: SecretStr | None = Field(default=None, min_length=32)
    """Secret of 32 characters or more that signs the links in mails; the same wherever mails are made or answered.
    None: links lead straight to the shop, and none unsubscribes."""
    link_base: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://[^\s?#]+$")
    """Address at which the readers of a mail reach the service."""
    sender: str | None = None
    """Name of the shop over every mail."""
    postal_address: str | None = None
    """Postal address under every mail, as many countries' laws want it; its lines."""
    template: Path | None = None
    """Template of mails, a file; None: the built-in one."""
    smtp: str | None = None
    """Mail server of `reprise send` and of test mails from the console: `smtp://user@host:587` or `smtps://user@host`."""
    smtp_from: str | None = None
    """Address that mails are from, `Shop <news@shop.example>`; bounces go there too."""
    seeds: tuple[str, ...] = Field(default=(), max_length=50)
    """Addresses of colleagues who get test mails from the console; with none, or without `smtp` and `smtp_from`, it
    sends none."""
    utm_source: str | None = Field(default=None, min_length=1, max_length=100)
    """What links in mails add to addresses of the shop as `utm_source`, beside `utm_medium=email` and the campaign as
    `utm_campaign`, so that the shop's own statistics know them. None: nothing is added."""
    cart_url: str | None = Field(default=None, pattern=r"^https?://[^\s]*\{product_id\}[^\s]*$")
    """Address of the shop that puts a product into the basket, with `{product_id}` where its id goes: buttons to order
    again lead there. None: they lead to the product."""
    most_per_week: int = Field(default=2, ge=0, le=50)
    """Most mails to one customer in any seven days, over all campaigns."""
    quiet_days_after_order: int = Field(default=2, ge=0, le=365)
    """Days without a mail after an order."""
    quiet_days_after_complaint: int = Field(default=90, ge=0, le=3_650)
    """Days without a mail after a complaint."""
    consent: Literal["assumed", "required"] = "assumed"
    """Who may be written to: `assumed`: everybody who never objected; `required`: only who subscribed."""
    holdout: float = Field(default=0.05, ge=0, le=MOST_HELD_OUT)
    """Share of a campaign's customers, of those who would really get the mail, who get none, so that it can be said
    what the mails brought. An experiment of yours on the campaign takes its place."""
    holdout_of_all: float = Field(default=0.0, ge=0, le=MOST_HELD_OUT)
    """Share of all customers who get no campaign's mail in a calendar quarter, so that it can be said what all mails
    together brought."""


class Settings(BaseSettings):
    """Settings of a shop, its service and its training. Frozen; unknown keys are refused."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        allow_inf_nan=False,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
    )

    home: Path = Path(".reprise")
    """Folder of models, the embedded Redis' data, quarantined rows, rows read from databases, reports and
    the demo shop."""
    redis_url: SecretStr | None = None
    """Address of Redis: one server, sentinels or a cluster. None: the embedded server under `REPRISE_HOME`."""
    redis_timeout_ms: int = Field(default=100, ge=1)
    """Longest wait for a connection or an answer of Redis while serving."""
    shop: str = Field(default="default", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    """Name of the shop; part of every Redis key."""

    link_hosts: tuple[Annotated[str, Field(pattern=r"^[^\sA-Z/:@?#*]+$")], ...] = ()
    """Hosts, with all below them, that addresses of products and pictures may name, as JSON: `["shop.example"]`.
    None: any host."""
    reading: ReadingOptions = ReadingOptions()
    database_password: SecretStr | None = None
    """Password of the database that purchases are read from. None: as its address or the driver has it."""
    database_timeout_s: int = Field(default=1_800, ge=1)
    """Longest time that one query of a database may take, rows included."""
    formats: dict[str, FormatSettings] = {}
    """Formats of your own by name, as `[formats.mine]` in `reprise.toml`; see the page about training."""
    max_bad_rows_share: float = Field(default=0.05, ge=0, le=1)
    """A file with a larger share of bad rows is refused."""
    horizon_days: int = Field(default=30, ge=1, le=365)
    """Window in which a recommended product should be bought; also the gate's test window."""
    list_length: int = Field(default=50, ge=1, le=500)
    """Products kept in each published list."""
    own_half_life_days: float = Field(default=180.0, gt=0)
    """Decay of a customer's own purchases in `buy_again` and in the gate's baseline."""
    gate_tolerance: float = Field(default=0.05, ge=0, lt=1)
    """Share by which a model may fall short of decayed own counts before the gate refuses it."""
    keep_versions: int = Field(default=3, ge=1, le=100)
    """Published versions kept for a rollback, the current one included."""
    memory: Annotated[ByteSize, Field(ge=1)] | None = None
    """Memory that a training, a ranking or an evaluation may use, such as `4 GiB`. None: half of the machine's or, in
    a container, of the container's."""
    seed: int = 0
    """Seed of the training: the same purchases and the same seed give the same lists."""
    als: AlsSettings = AlsSettings()

    currency: CurrencyCode | None = None
    """Currency of prices whose product has none of its own, ISO 4217. Events in another one are refused; None: any is
    taken, and prices are in the one that all archived purchases are in."""
    locale: LocaleTag = "en"
    """Language of answers and mails for whom no other is known; a region (`de-AT`) says how dates are written."""
    max_waiting_events: int = Field(default=1_000_000, ge=1)
    """Events that may wait for a worker before more are refused with 503."""
    log_impressions: bool = False
    """Whether each answer to a person is kept as impression events; else the shop sends those that were really seen."""

    mail: MailSettings = MailSettings()
    smtp_password: SecretStr | None = None
    """Password of the mail server that `reprise send` gives mails to."""
    experiments: Experiments = ()
    """Experiments of the shop, as JSON; better as `[[experiments]]` in `reprise.toml`. Two experiments may not change
    the same field of the same answers."""

    host: str = "127.0.0.1"
    """Address that `reprise serve` listens on; any but a loopback address needs an API key."""
    port: int = Field(default=8000, ge=1, le=65535)
    """Port that `reprise serve` listens on."""
    workers: int = Field(default=2, ge=1, le=256)
    """Processes that answer HTTP requests."""
    customer_token_ttl_s: int = Field(default=900, ge=1, le=86_400)
    """Seconds after which a customer token is no longer good; clocks may differ by a minute besides."""
    secret_rate_per_s: float = Field(default=1000.0, gt=0)
    """Requests that a secret key may make in a second, for long; twice as many at once."""
    publishable_rate_per_s: float = Field(default=500.0, gt=0)
    """Requests that a publishable key, which all visitors of a shop share, may make in a second, for long;
    twice as many at once."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level that is logged: `debug`, `info`, `warning` or `error`."""
    placements: dict[str, Placement] = DEFAULT_PLACEMENTS
    """Placements by name, as JSON; better as `[placements.home]` in `reprise.toml`. Fields of one are added
    to its default."""

    @property
    def language(self) -> Language:
        """The language of `locale`."""
        return get_language(self.locale)

    @field_validator("placements", mode="before")
    @classmethod
    def _add_to_the_defaults(cls, named: Mapping[str, Any]) -> dict[str, Any]:
        """Add the fields given for a placement to its default, so that one field can be changed alone."""
        defaults = {name: placement.model_dump() for name, placement in DEFAULT_PLACEMENTS.items()}
        return defaults | {name: defaults.get(name, {}) | dict(fields) for name, fields in named.items()}

    @field_validator("placements")
    @classmethod
    def _has_what_treatments_name(cls, placements: dict[str, Placement], info: ValidationInfo) -> dict[str, Placement]:
        experiments = info.data.get("experiments", ())
        treatments = [treatment for experiment in experiments for treatment in experiment.treatments.values()]
        if unknown := sorted({each.placement for each in treatments if each.placement} - placements.keys()):
            raise ValueError(
                f"an experiment takes the placement {', '.join(unknown)}; there are: {', '.join(sorted(placements))}"
            )
        return placements

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources, first wins: arguments, the environment, the settings file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, find_settings_file())


def find_settings_file() -> Path | None:
    """The settings file of this process; None where there is none.

    Raises:
        SettingsError: REPRISE_CONFIG names a file that is not there.
    """
    if named := os.environ.get(CONFIG_VARIABLE):
        if not Path(named).is_file():
            raise SettingsError(f"there is no settings file {named!r}, which --config or {CONFIG_VARIABLE} names")
        return Path(named)
    home = os.environ.get(f"{ENV_PREFIX}HOME") or Settings.model_fields["home"].default
    return next((path for path in (Path(home, _FILE), Path(_FILE)) if path.is_file()), None)


def load_settings(**overrides: object) -> Settings:
    """The settings of this process; `overrides` win over every other source.

    Raises:
        SettingsError: a key is unknown, a value cannot be, or the settings file is not there or not TOML.
    """
    _refuse_unknown_variables(os.environ)
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError("; ".join(_describe(problem) for problem in error.errors())) from None
    except (PydanticSettingsError, tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"settings cannot be read: {error}") from None


def _describe(problem: Mapping[str, Any]) -> str:
    parts = [str(part) for part in problem["loc"]]
    hint = _suggest(parts) if problem["type"] == "extra_forbidden" else ""
    said = problem["msg"].removeprefix("Value error, ")
    return f"setting {'.'.join(parts)!r}: {said}{hint}"


def _suggest(parts: list[str]) -> str:
    """The nearest key of the table that an unknown key stands in, written like it: with the names around it."""
    *table, key = parts
    near = difflib.get_close_matches(key, _keys_of(table), n=1)
    return f" (did you mean {'.'.join([*table, *near])!r}?)" if near else ""


def _keys_of(table: Iterable[str]) -> Iterable[str]:
    """The keys of a table, given the names that lead to it: fields of the settings, and its own among its kind."""
    model: type[BaseModel] = Settings
    for part in table:
        if part in model.model_fields:
            model = _find_model(model.model_fields[part].annotation) or model
    return model.model_fields


def _find_model(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, or holds several of; None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for one in get_args(annotation) if (model := _find_model(one))), None)


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    for name in environment:
        if not name.startswith(ENV_PREFIX) or name == CONFIG_VARIABLE:
            continue
        field = name.removeprefix(ENV_PREFIX).split("__")[0].lower()
        if field not in Settings.model_fields:
            raise SettingsError(f"environment variable {name} is not a setting{_suggest([field])}")
