"""How lists of customers and of their addresses are read: which columns are ours, and what their ids stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recommender.customer_salt import known_as, salt_of_training
from recommender.data_dir import DataDirectory
from recommender.errors import MissingColumnError
from recommender.settings import Settings
from training.campaigns.mail.addresses import OPTIONAL, REQUIRED
from training.campaigns.picks.customer_file import COLUMN
from training.cells.ids import plain_id
from training.ingest.columns import side_kind, take_own_columns
from training.ingest.headers.proposals import propose_columns

_ADDRESSES = side_kind((*REQUIRED, *OPTIONAL), REQUIRED, "--columns")
_CUSTOMERS = side_kind((COLUMN,), (COLUMN,), "--columns")


@dataclass(frozen=True)
class ListFiles:
    """Lists of customers and addresses, as a command's options and the settings say.

    Attributes:
        named: our column → the file's.
        salt: of the digests that stand for ids; None: ids stay.
    """

    named: Mapping[str, str]
    salt: bytes | None

    def address_columns(self, names: Sequence[str], file: Path) -> dict[str, str]:
        """Our columns of a file of addresses.

        Raises:
            UsageError: a name is not ours.
            MissingColumnError: one is not there; it proposes what could be meant.
        """
        return take_own_columns(names, self.named, str(file), _ADDRESSES)

    def customer_columns(self, names: Sequence[str], file: Path) -> dict[str, str]:
        """The column of ids; none where the file has lines of ids and no header.

        Raises:
            MissingColumnError: the first line is a header in other words.
        """
        mine = {ours: theirs for ours, theirs in self.named.items() if ours == COLUMN}
        try:
            return take_own_columns(names, mine, str(file), _CUSTOMERS)
        except MissingColumnError:
            found = propose_columns(names, {COLUMN: (COLUMN,)}, _CUSTOMERS.synonyms)
            if mine or (COLUMN in found and found[COLUMN].plain):
                raise
            return {}

    def id_of(self, cell: str) -> str:
        """What the service calls a customer; empty where a cell is."""
        plain = plain_id(cell)
        return known_as(plain, self.salt) if plain else ""


def list_files(settings: Settings, named: Mapping[str, str], *, hash_customers: bool) -> ListFiles:
    """The lists that these options and settings mean.

    Raises:
        HomeError: ids are to be hashed, and there is no salt.
    """
    hashed = hash_customers or settings.reading.hash_customers
    return ListFiles(named, salt_of_training(DataDirectory(settings.home)) if hashed else None)
