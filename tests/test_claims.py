"""The claims file: what it comes to, how it is refused, and that ours names only what there is."""

from __future__ import annotations

import pytest

from mnist_bench import claims, suites
from mnist_bench.errors import ClaimsError

HEAD = '[c]\nsays = "s"\nsource = "p"\nsuite = "smoke"\n'
FIGURE = HEAD + 'kind = "figure"\nvariant = "mlp"\naccuracy_percent = 98.5\ntolerance_pp = 1\n'
OURS = claims.load()


@pytest.fixture
def load(tmp_path):
    """Load claims from text."""

    def loader(text):
        path = tmp_path / "claims.toml"
        path.write_text(text)
        return claims.load(path)

    return loader


@pytest.mark.parametrize(
    ("keys", "variants", "published"),
    [
        ('kind="figure"\nvariant="a"\naccuracy_percent=98.5\ntolerance_pp=0.2', ("a",), "98.50% (± 0.2 pp)"),
        ('kind="at_least"\nvariant="a"\nat_least_percent=98', ("a",), "at least 98%"),
        ('kind="below"\nvariant="a"\nbelow_percent=99', ("a",), "below 99%"),
        ('kind="better"\nbetter="a"\nworse="b"', ("a", "b"), "a above b"),
        ('kind="better_by"\nbetter="a"\nworse="b"\nby_pp=5\ntolerance_pp=2', ("a", "b"), "a above b by 5 pp (± 2 pp)"),
        (
            'kind="slower"\nslower="a"\nfaster="b"\nreach_percent=98',
            ("a", "b"),
            "a after b at 98% of validation accuracy",
        ),
        ('kind="overfits"\nvariant="a"\nepoch=20\ntolerance_epochs=5', ("a",), "from epoch 20 (± 5)"),
    ],
)
def test_each_kind_says_what_was_published_of_which_variants(load, keys, variants, published):
    """A claim of each kind is read by its own keys."""
    (claim,) = load(HEAD + keys).values()
    assert (claim.variants, claim.published) == (variants, published)


def test_claims_stand_in_the_order_of_the_file(load):
    """Who wrote the file decided what comes first."""
    assert [*load(FIGURE.replace("[c]", "[z]") + FIGURE.replace("[c]", "[a]"))] == ["z", "a"]


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("[c", "not a TOML file: Expected ']' at the end of a table declaration (at end of document)"),
        ("c = 3", "c: should be a table, not 3"),
        (HEAD, "c.kind: missing; known: at_least, below, better, better_by, figure, overfits, slower"),
        (HEAD + 'kind = "figur"', "c.kind: unknown kind 'figur'; did you mean 'figure'?"),
        (FIGURE.replace("source", "sauce"), "c: unknown key 'sauce'; did you mean 'source'?"),
        (FIGURE.replace('source = "p"\n', ""), "c.source: missing"),
        (FIGURE.replace('"p"', '""'), "c.source: String should have at least 1 character, not ''"),
        (
            FIGURE + "below_percent = 99",
            "c.below_percent: a claim of kind 'figure' has no such key; kind below has",
        ),
        (FIGURE + 'worse = "b"', "c.worse: a claim of kind 'figure' has no such key; kind better or better_by has"),
        (FIGURE.replace("98.5", "985"), "c.accuracy_percent: should be less than or equal to 100, not 985"),
        (FIGURE.replace("98.5", '"98.5"'), "c.accuracy_percent: should be a number, not '98.5'"),
        (FIGURE.replace("= 1\n", "= 0\n"), "c.tolerance_pp: should be greater than 0, not 0"),
    ],
)
def test_a_wrong_claim_gets_one_line(load, tmp_path, text, ending):
    """The line names the file, the key, and the mend."""
    with pytest.raises(ClaimsError) as caught:
        load(text)
    assert str(caught.value) == f"{tmp_path}/claims.toml: {ending}"


def test_a_missing_file_gets_one_line(tmp_path):
    """A path that leads nowhere is told with its reason."""
    with pytest.raises(ClaimsError, match=r"nowhere\.toml: can't be read: No such file"):
        claims.load(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("name", OURS)
def test_ours_are_about_variants_that_there_are(name):
    """Each claim names a suite of ours and different variants of it, which hold something out where a curve judges."""
    claim = OURS[name]
    suite = suites.load(claim.suite)
    assert len(set(claim.variants)) == len(claim.variants)
    for variant in claim.variants:
        assert suite[variant].recipe.validation or not isinstance(claim, claims.Slower | claims.Overfits)


def test_every_reference_has_its_claim():
    """What `references` trains because it was published is judged by a published figure."""
    judged = {
        claim.variant
        for claim in OURS.values()
        if claim.suite == "references" and isinstance(claim, claims.Figure | claims.AtLeast)
    }
    assert judged == {variant.name for variant in suites.load("references").variants}


def test_the_claims_file_is_no_suite():
    """It lies among the suites and is not taken for one."""
    assert "claims" not in suites.names()
