import numpy as np
import pytest

from training.models.title_words import title_matrix


def test_titles_that_share_a_rare_word_are_alike():
    words = title_matrix(["Rose mug", "Rose plate", "Blue mug", "Blue plate", None, "Towel", "Chair", "Lamp", "Sofa"])
    likeness = (words @ words.T).toarray()
    assert likeness[0, 0] == pytest.approx(1)
    assert likeness[0, 1] == pytest.approx(0.5)
    assert likeness[0, 3] == 0
    assert not likeness[4].any()


def test_a_word_of_one_title_or_of_most_titles_tells_nothing():
    words = title_matrix([f"Set of {name}" for name in ("spoons", "forks", "knives", "bowls")])
    assert words.shape == (4, 0)


def test_short_words_numbers_and_case_are_passed_over():
    words = title_matrix(["ROSE 12 cm", "rose XL 12", "lamp", "desk"])
    assert (words @ words.T).toarray()[0, 1] == pytest.approx(1)


def test_letters_that_are_written_in_two_ways_are_one():
    words = title_matrix(["كيك 1", "کیک 2", "lamp", "desk"])
    assert (words @ words.T).toarray()[0, 1] == pytest.approx(1)


def test_no_titles():
    assert title_matrix([]).shape == (0, 0)
    assert np.count_nonzero(title_matrix([None, ""]).toarray()) == 0


def test_a_word_of_all_titles_of_a_tiny_shop_tells_nothing():
    words = title_matrix(["green tea", "black tea"])
    assert np.isfinite(words.toarray()).all()
    assert not (words @ words.T).toarray().any()
