"""Entry point `reprise`: the commands and their modules, imported only when they are called."""

import importlib
import os
import sys
from pathlib import Path

import click

from recommender import DISTRIBUTION
from recommender.cli.console import echo
from recommender.errors import DataError, GateRefusedError, RepriseError, UsageError

COMMANDS = {
    "demo": ("training.commands.model.demo", "Make up a shop, train, publish and serve it."),
    "campaigns": ("training.commands.campaigns.campaigns", "List campaigns, say what came of each, cancel one."),
    "doctor": ("training.commands.model.doctor", "Check a purchase file and say what can be learned from it."),
    "customers": ("training.commands.analytics.customers", "Say what customers are worth and when they come back."),
    "erase": ("training.commands.events.erase", "Forget customers who asked for it, in Redis and in every file."),
    "evaluate": ("training.commands.model.evaluate", "Score the model beside what it has to beat."),
    "events": ("training.commands.events.events", "Say what waits to be archived, and what could not be."),
    "experiment": (
        "training.commands.analytics.experiment",
        "Report what an experiment caused, variant against control.",
    ),
    "keys": ("recommender.cli.api_keys", "Create, list and revoke API keys."),
    "models": ("recommender.cli.models", "List the published versions."),
    "picks": ("training.commands.campaigns.picks", "Write a campaign's picks to a file, a customer a row."),
    "power": ("training.commands.analytics.power", "Say how many customers an experiment needs."),
    "publish": ("training.commands.model.publish", "Publish a version that was trained before."),
    "rank": ("training.commands.model.rank", "Write every customer's ranked products to a file."),
    "report": ("training.commands.model.report", "Write one HTML file about a version for a colleague."),
    "restraint": ("training.commands.analytics.restraint", "Say how many products per placement still add value."),
    "results": ("training.commands.analytics.results", "Say what came of what was shown and mailed."),
    "rollback": ("recommender.cli.rollback", "Make the version before the current one current."),
    "send": ("training.commands.campaigns.send", "Send the mails of a campaign; run again, it goes on."),
    "serve": ("api.server.cli", "Answer HTTP requests."),
    "train": ("training.commands.model.train", "Train on purchases, evaluate, and publish if the gate allows."),
    "tune": ("training.commands.model.tune", "Find settings that suit a shop, on past windows."),
    "worker": ("training.commands.events.worker", "Archive what happens in shops, and make picks asked for."),
}
"""Name → (module that defines a click command `command`, the line shown by `reprise --help`)."""

TYPED = "reprise.typed"
"""Where a click context keeps the words of the command that was typed, from its name on."""

EXIT_CODES: dict[type[RepriseError], int] = {UsageError: 2, DataError: 3, GateRefusedError: 4}
"""Every other RepriseError exits with 1."""


def _use_config(context: click.Context, parameter: click.Parameter, path: Path | None) -> None:  # noqa: ARG001
    """Click callback: have this process and those that it starts read this settings file."""
    if path is not None:
        os.environ["REPRISE_CONFIG"] = str(path.absolute())


CONFIG = click.Option(
    ["--config"],
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    expose_value=False,
    is_eager=True,
    callback=_use_config,
    help="Settings file, instead of reprise.toml under REPRISE_HOME or in this folder.",
)
"""An option of every command."""


def _add_config(command: click.Command) -> None:
    if CONFIG not in command.params:
        command.params.append(CONFIG)
        for inner in getattr(command, "commands", {}).values():
            _add_config(inner)


class LazyGroup(click.Group):
    """Group of commands that are imported when they are called: `reprise --help` must answer at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """Names of the commands in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, imported now; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        try:
            module = importlib.import_module(COMMANDS[cmd_name][0])
        except ModuleNotFoundError as error:
            raise RepriseError(
                f"`reprise {cmd_name}` needs {error.name}, which is not installed here: in containers, run it in the "
                "image `reprise`, not in `reprise-service`"
            ) from error
        command: click.Command = module.command
        _add_config(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; what was typed is kept, so that a message can say what to type instead."""
        ctx.meta[TYPED] = list(args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands, from COMMANDS alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(
    cls=LazyGroup, params=[CONFIG], epilog="Settings come from REPRISE_* variables and reprise.toml; see the README."
)
@click.version_option(package_name=DISTRIBUTION)
def reprise() -> None:
    """Product recommendations for repeat purchases: what a customer will want again, and when.

    \b
    Example:
      reprise train purchases.csv && reprise serve
    """


def main() -> None:
    """Run `reprise`; a RepriseError becomes one line on standard error and an exit code.

    What it writes, and its workers do, is for this user alone: customers' ids, keys and mails are in it.
    """
    os.umask(0o077)
    try:
        reprise.main(prog_name="reprise")
    except RepriseError as error:
        echo(f"error: {error}", err=True)
        sys.exit(exit_code(error))


def exit_code(error: RepriseError) -> int:
    """The exit code of an error: 2 usage, 3 bad data, 4 refused by the gate, 1 anything else."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)


if __name__ == "__main__":
    main()
