"""Lists of customers and addresses: their columns, and what their ids stand for."""

import pytest

from recommender.customer_salt import digest_of_customer, make_salt
from recommender.data_dir import DataDirectory
from recommender.errors import HomeError, MissingColumnError
from recommender.settings import Settings
from training.campaigns.mail.addresses import open_addresses
from training.campaigns.picks.customer_file import read_customers
from training.commands.campaigns.list_files import list_files

ANN = "ann@shop.example"


@pytest.fixture
def home(tmp_path):
    return Settings(home=tmp_path / "home")


def addresses(tmp_path, home, text, named=(), *, hashed=False):
    """Customer → mailbox of a file, and why its other lines are bad."""
    file = tmp_path / "addresses.csv"
    file.write_text(text, "utf-8")
    lists = list_files(home, dict(named), hash_customers=hashed)
    with open_addresses(file, tmp_path, lists.address_columns, lists.id_of) as book:
        known = ["7001", "00123", ANN, digest_of_customer(ANN, make_salt(DataDirectory(home.home)))]
        return {one: box.address for one, box in book.find(known).items()}, dict(book.bad.counts)


@pytest.mark.parametrize(
    "text",
    [
        "customer_id,email\n7001,ann@shop.example\n",
        "Customer ID;E-mail;Age\n'7001;ann@shop.example;3\n",
        "customer_id,email\n7001.0,ann@shop.example\n",
        "customer_id;email\n7001,0;ann@shop.example\n",
        'EMAIL\tCustomerId\nann@shop.example\t"=""7001"""\n',
    ],
)
def test_our_columns_are_known_however_they_are_written(tmp_path, home, text):
    assert addresses(tmp_path, home, text) == ({"7001": ANN}, {})


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("Kundennummer;E-Mail-Adresse", {"customer_id": "Kundennummer", "email": "E-Mail-Adresse"}),
        ("numéro client;courriel", {"customer_id": "numéro client", "email": "courriel"}),
        ("شماره مشتری;ایمیل", {"customer_id": "شماره مشتری", "email": "ایمیل"}),
    ],
)
def test_a_header_in_another_language_is_proposed_and_never_taken(tmp_path, home, header, named):
    text = f"{header}\n7001;{ANN}\n"
    with pytest.raises(MissingColumnError) as refused:
        addresses(tmp_path, home, text)
    assert refused.value.proposed == {"columns": named}
    assert all(f"--columns {ours}=" in str(refused.value) for ours in named)
    assert addresses(tmp_path, home, text, named) == ({"7001": ANN}, {})


def test_addresses_are_hashed_as_the_purchases_were(tmp_path, home):
    digest = digest_of_customer(ANN, make_salt(DataDirectory(home.home)))
    text = f"Email\n{ANN}\n"
    named = {"customer_id": "Email", "email": "Email"}
    assert addresses(tmp_path, home, text, named, hashed=True) == ({digest: ANN}, {})
    assert addresses(tmp_path, home, f"customer_id,email\n{digest},{ANN}\n", hashed=True) == ({digest: ANN}, {})
    by_setting = home.model_copy(update={"reading": home.reading.model_copy(update={"hash_customers": True})})
    assert addresses(tmp_path, by_setting, text, named) == ({digest: ANN}, {})


def test_without_a_salt_nobody_is_hashed_in_silence(home):
    with pytest.raises(HomeError, match="train with --hash-customers first"):
        list_files(home, {}, hash_customers=True)


def customers(tmp_path, home, text, named=(), *, hashed=False):
    (tmp_path / "ids").write_text(text, "utf-8")
    lists = list_files(home, dict(named), hash_customers=hashed)
    return read_customers(tmp_path / "ids", lists.customer_columns, lists.id_of)


@pytest.mark.parametrize("text", ["ANNA\n'7001\n", 'name,Customer ID\nx,ANNA\ny,"=""7001"""\n'])
def test_lists_of_customers_are_lines_or_a_column(tmp_path, home, text):
    listed = customers(tmp_path, home, text)
    assert (len(listed), "ANNA" in listed, "7001" in listed) == (2, True, True)


def test_a_foreign_header_of_customers_is_no_customer(tmp_path, home):
    with pytest.raises(MissingColumnError, match="add --columns customer_id=Kundennummer"):
        customers(tmp_path, home, "Kundennummer\nANNA\n")
    listed = customers(tmp_path, home, "Kundennummer\nANNA\n", {"customer_id": "Kundennummer"})
    assert (len(listed), "ANNA" in listed) == (1, True)


def test_lists_of_customers_are_hashed(tmp_path, home):
    digest = digest_of_customer(ANN, make_salt(DataDirectory(home.home)))
    assert digest in customers(tmp_path, home, f"{ANN}\n", hashed=True)
    assert digest in customers(tmp_path, home, f"{digest}\n", hashed=True)
