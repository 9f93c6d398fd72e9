from dataclasses import replace

from recommender.person import digest_of_person
from recommender.publication.erasure import erased_customers, leave_out
from recommender.publication.lists import LIST_NAMES
from tests.support.profiles import make_profile, make_table

LISTS = {
    "buy_again": {"ANNA": [1, 2], "BEN": [0], "CARL": []},
    "discover": {"CARL": [3], "ANNA": [4, 5, 6]},
    "similar": {"ANNA": [7]},
}


def owners(publication, name):
    return {
        owner_id: table.records[table.starts[i] : table.starts[i + 1]]["product_index"].tolist()
        for table in [publication.tables[name]]
        for i, owner_id in enumerate(table.owner_ids)
    }


def test_personal_lists_of_the_erased_are_left_out_and_counted_so(make_publication):
    left = leave_out(make_publication("v1", LISTS), {digest_of_person("ANNA", None)})
    assert owners(left, "buy_again") == {"BEN": [0], "CARL": []}
    assert owners(left, "discover") == {"CARL": [3]}
    assert owners(left, "similar") == {"ANNA": [7]}  # a product of that name
    assert left.manifest.lists == {name: len(left.tables[name]) for name in LIST_NAMES}


def test_everybody_may_be_left_out(make_publication):
    erased = {digest_of_person(name, None) for name in ("ANNA", "BEN", "CARL")}
    assert owners(leave_out(make_publication("v1", LISTS), erased), "buy_again") == {}


def test_a_version_without_the_erased_is_the_very_same(make_publication):
    publication = make_publication("v1", LISTS)
    assert leave_out(publication, frozenset()) is publication
    assert leave_out(publication, {digest_of_person("DORA", None)}) is publication
    assert leave_out(publication, {"ANNA"}) is publication  # digests, not ids


def test_profiles_go_with_the_lists_and_alone(make_publication):
    publication = replace(make_publication("v1", LISTS), profiles=make_table(*map(make_profile, ("ANNA", "ONCE"))))
    erased = {digest_of_person(name, None) for name in ("ONCE", "DORA")}
    assert erased_customers(publication, erased) == {"ONCE"}
    left = leave_out(publication, erased)
    assert left.profiles.customer_ids == ["ANNA"]
    assert left.manifest.counts["profiles"] == 1
    assert owners(left, "buy_again") == owners(publication, "buy_again")
    assert "profiles" not in leave_out(make_publication("v1", LISTS), {digest_of_person("BEN", None)}).manifest.counts
