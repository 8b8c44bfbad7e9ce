"""Text is varied, the same for the same generator, and every span says exactly where its piece lies."""

import numpy as np
import pytest

from carelab.synth.prose import (
    Piece,
    Prose,
    Writer,
    abbreviated,
    capitalised,
    join,
    lowered,
    mistyped,
    nearest,
    repetition,
)

TEMPLATE = "[hi|hello|3*good day] dr. {doctor}, [please|] call {name} [@when|]. @thanks, {name}"
GRAMMAR = {"when": ("[today|tomorrow] at [nine|ten]", "when you can"), "thanks": "[thanks|thank you|with thanks]"}


def writer(seed: int) -> Writer:
    return Writer(np.random.default_rng(seed), GRAMMAR)


def letter(seed: int) -> Prose:
    return writer(seed).write(TEMPLATE, doctor="Oakby", name=Piece("Vera Maplewick", "name"))


def test_the_same_generator_gives_the_same_text() -> None:
    assert letter(3) == letter(3)
    assert len({letter(seed).text for seed in range(60)}) > 30


@pytest.mark.parametrize(
    "change",
    [
        lambda prose: prose,
        capitalised,
        lowered,
        lambda prose: mistyped(prose, np.random.default_rng(0), 0.9),
        lambda prose: abbreviated(prose, np.random.default_rng(0), {"please": "pls", "thank you": "thx"}, 1.0),
        lambda prose: join("\n\n", ["Before.", prose, "", prose]).tidy(),
    ],
)
def test_spans_say_where_their_pieces_are(change) -> None:  # type: ignore[no-untyped-def]
    for seed in range(40):
        prose = change(letter(seed))
        assert len(prose.spans) >= 2
        for start, end, label in prose.spans:
            assert prose.text[start:end].lower() == "vera maplewick"
            assert label == "name"


def test_weights_and_optional_parts() -> None:
    pen = writer(0)
    drawn = [pen.write("[9*often|seldom][ indeed|]").text for _ in range(2000)]
    assert np.mean([text.startswith("often") for text in drawn]) == pytest.approx(0.9, abs=0.02)
    assert np.mean([text.endswith("indeed") for text in drawn]) == pytest.approx(0.5, abs=0.04)


def test_optional_parts_leave_no_holes() -> None:
    pen = writer(0)
    assert pen.write("a  [|] b [|], c [|].").text == "a b, c."
    assert pen.write("{x} , and {y} .", x=Piece("one", "n"), y="two").text == "one, and two."


def test_a_broken_template_is_refused() -> None:
    for template in ("[a|b", "a]", "[[a]"):
        with pytest.raises(ValueError, match="bracket"):
            writer(0).write(template)
    with pytest.raises(KeyError):
        writer(0).write("{nobody}")
    with pytest.raises(ValueError, match="length"):
        letter(0).recase(lambda text: text + "!")


def test_typos_change_words_and_not_what_is_labelled() -> None:
    prose = Prose((Piece("something turned painful "), Piece("Winterberg", "name")))
    spoilt = mistyped(prose, np.random.default_rng(1), 1.0).text
    assert spoilt.endswith("Winterberg")
    assert all(a != b for a, b in zip(spoilt.split()[:3], prose.text.split()[:3], strict=True))
    assert mistyped(prose, np.random.default_rng(1), 0.0) == prose


def test_repetition_by_hand() -> None:
    same = "one two three four five six seven eight.\nAnd more here."
    found = repetition([same, same, "a b c d e f g h i"])
    assert found["distinct_lines"] == pytest.approx(3 / 5)
    assert found["distinct_sentences"] == pytest.approx(3 / 5)
    assert found["repeated_8_grams"] == pytest.approx(8 / 10)  # 4 runs in each of the two, 2 in the third
    assert found["near_duplicates"] == pytest.approx(2 / 3)
    assert repetition([]) == dict.fromkeys(found, 0.0)


def test_nearest_sees_a_changed_word() -> None:
    words = [f"w{i}" for i in range(40)]
    other = [*words[:20], "else", *words[21:]]
    best = nearest([" ".join(words), " ".join(other), "quite another text altogether"])
    assert best[0] == best[1] == pytest.approx(35 / 41)
    assert best[2] == 0
