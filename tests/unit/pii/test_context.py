"""What a message asks for, and words near a span."""

from __future__ import annotations

import pytest

from tasks.pii.context import REACH, near, said_of, topic_asked, words

ASKED = [
    ("What are the last four digits of your social?", "ssn"),
    ("For verification, what are the last 4 of your social security number?", "ssn"),
    ("SSN please", "ssn"),
    ("May I have your order number?", "reference"),
    ("Could you please confirm your order ID?", "reference"),
    ("I need your policy number to go on.", "reference"),
    ("Can I get a good callback number?", "phone"),
    ("What's the best number to reach you?", "phone"),
    ("What number can I reach you at?", "phone"),
    ("Can I have your phone number so that I can look up the order?", "phone"),
    ("To look up your order, can I have your phone number?", "phone"),
    ("Please provide the phone number associated with your account", "phone"),
    ("What is your phone number and e-mail address?", "phone"),
    ("And your card number?", "credit_card"),
    ("Which card did you pay with? I need the full card number.", "credit_card"),
    ("What is your gift card number?", "reference"),
    ("Your e-mail?", "email"),
    ("What is your IBAN?", "iban"),
    ("Your account number?", "account"),
    ("Wie lautet Ihre Bestellnummer?", "reference"),
    ("Quel est votre numéro de téléphone ?", "phone"),
    ("¿Me da su número de pedido?", "reference"),
    ("What is your phone number or order number?", None),
    ("What seems to be the problem with your order?", None),
    ("What's a good time to call?", None),
    ("How are you today?", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "topic"), ASKED)
def test_a_question_tells_what_it_asks_for(text: str, topic: str | None) -> None:
    assert topic_asked(text) == topic


SAID = [
    ("order 4155550100", "reference", True),
    ("my order is late. Call 4155550100", "phone", True),
    ("my order is late, 4155550100", "reference", False),
    ("4155550100 is my cell", "phone", True),
    ("4155550100 (office)", "phone", True),
    ("4155550100 ssn 6789", None, False),
    ("phone 2125550100 and 4155550100", "phone", True),
    ("phone 2125550100, my dog is 4155550100", None, False),
    ("in case you need it 4155550100", None, False),
    ("gift card 4155550100", "reference", True),
    (f"phone {'x' * REACH} 4155550100", None, False),
]


@pytest.mark.parametrize(("text", "topic", "direct"), SAID)
def test_the_nearest_word_says_what_a_number_is(text: str, topic: str | None, direct: bool) -> None:
    start = text.index("4155550100")
    assert said_of(text, start, start + 10) == (topic, direct)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my Member Number is 77", True),
        ("77 is the member number", True),
        ("my membership is 77", False),
        ("card 77", True),
        (f"card {'.' * REACH} 77", False),
    ],
)
def test_words_are_near_when_whole_and_within_reach(text: str, expected: bool) -> None:
    start = text.index("77")
    assert near(text, start, start + 2, words(["member number", "card"])) is expected
