from pathlib import Path

import pytest

from recommender.campaigns.mail.mailbox import Mailbox, check_address
from recommender.errors import MissingColumnError, UnreadableFileError
from training.campaigns.mail.addresses import open_addresses


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("anna@mail.example", "anna@mail.example"),
        ("o'brien+shop@mail.co.uk", "o'brien+shop@mail.co.uk"),
        ("anna@käse.example", "anna@xn--kse-qla.example"),
        ("jörg@mail.example", "jörg@mail.example"),
    ],
)
def test_good_addresses(written: str, address: str):
    assert check_address(written) == address


@pytest.mark.parametrize(
    "written",
    [
        "",
        "anna",
        "anna@",
        "@mail.example",
        "anna@localhost",
        "anna@[127.0.0.1]",
        "anna@mail..example",
        "anna@-mail.example",
        "a b@mail.example",
        "a@b@mail.example",
        ".anna@mail.example",
        "an..na@mail.example",
        "anna@mail.example>,<eve@mail.example",
        "anna@mail.example\r\nBcc: eve@mail.example",
        f"{'a' * 65}@mail.example",
        f"anna@{'a' * 64}.example",
        "anna@127.0.0.1",
        "anna@straße.example",  # of which there are two, by the standard that one asks
    ],
)
def test_bad_addresses(written: str):
    assert check_address(written) is None


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_names_and_locales_are_found_and_bad_lines_are_counted(tmp_path: Path):
    file = write(
        tmp_path / "addresses.csv",
        "\ufeffEmail,customer_id,locale,name\r\n"
        'anna@mail.example,00123,de,"Müller, ""Anna"" 🧀"\r\n'
        "BOB@Mail.example,B,,\r\n"
        "bob@mail.example,C,,\r\n"
        "b2@mail.example,B,,\r\n"
        ",D,,\r\n"
        "nonsense,E,,\r\n"
        '"eve@mail.example","F",,"Eve\nBcc: x@mail.example"\r\n'
        "g@mail.example,,,\r\n"
        "h@mail.example,H,,,,\r\n",
    )
    with open_addresses(file, tmp_path / "home") as book:
        assert book.find(["00123", "B", "C", "D", "gone"]) == {
            "00123": Mailbox("anna@mail.example", 'Müller, "Anna" 🧀', "de"),
            "B": Mailbox("BOB@Mail.example"),
        }
        book.know(["00123"])
        book.leave_out_unknown()
        told = book.to_dict()
        assert len(book) == 1
    assert told["rows"] == 9
    assert told["usable"] == 1
    assert told["bad"] == {
        "address_of_another_customer": 1,
        "bad_address": 1,
        "control_character": 1,
        "customer_named_before": 1,
        "no_address": 1,
        "no_customer_id": 1,
        "too_many_columns": 1,
        "unknown_customer": 1,
    }
    assert {"line": 5, "reason": "customer_named_before"} in told["bad_lines"]
    assert "@" not in str(told)


def test_nothing_is_left_on_disk_while_it_is_open(tmp_path: Path):
    file = write(tmp_path / "addresses.csv", "customer_id,email\nA,a@mail.example\n")
    with open_addresses(file, tmp_path / "home") as book:
        assert list((tmp_path / "home").iterdir()) == []
        assert book.find(["A"]) == {"A": Mailbox("a@mail.example")}


def test_files_that_cannot_be_used(tmp_path: Path):
    with pytest.raises(UnreadableFileError, match=r"gone\.csv"), open_addresses(tmp_path / "gone.csv", tmp_path):
        pass
    other = write(tmp_path / "other.csv", "id,mail\n1,a@mail.example\n")
    with pytest.raises(MissingColumnError, match="no column customer_id and no email"), open_addresses(other, tmp_path):
        pass
    empty = write(tmp_path / "empty.csv", "")
    with pytest.raises(UnreadableFileError, match="is empty"), open_addresses(empty, tmp_path):
        pass


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_tables_as_spreadsheets_save_them(tmp_path: Path, separator: str, encoding: str):
    lines = [("customer_id", "email", "name"), ("00123", "a@mail.example", "Müller"), ("B", "b@mail.example", "Åse")]
    file = tmp_path / "addresses.csv"
    file.write_bytes("\r\n".join(map(separator.join, lines)).encode(encoding))
    with open_addresses(file, tmp_path / "home") as book:
        assert book.find(["00123", "B"]) == {
            "00123": Mailbox("a@mail.example", "Müller"),
            "B": Mailbox("b@mail.example", "Åse"),
        }
        assert book.to_dict()["encoding"] == encoding
        assert list((tmp_path / "home").iterdir()) == []
