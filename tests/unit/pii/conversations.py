"""Labelled conversations: what was said, and in {braces} what of it is personal data.

A turn is `side: text`; a = agent, c = customer, b = bot.
"""

from __future__ import annotations

CARD = "4111 1111 1111 1111"

CONVERSATIONS: dict[str, list[str]] = {
    # Bare replies are what the other side asked for.
    "a bare ssn": ["a: What is your social security number?", "c: {123456789}"],
    "a bare ssn in groups": ["a: Your SSN please", "c: {123 45 6789}"],
    "last four of an ssn": ["a: What are the last four digits of your social?", "c: {6789}"],
    "a bare card": ["a: Can I have the card number?", "c: {4111111111111111}"],
    "a mistyped card": ["a: Could you give me your card number?", "c: {4111111111111112}"],
    "last four of a card": ["a: What are the last 4 digits of your card?", "c: {4242}"],
    "a bare phone": ["a: What's your phone number?", "c: {2125550100}"],
    "a callback number": ["a: May I have a good callback number?", "c: {4155550100}"],
    "a number to reach": ["a: Which number can we reach you at?", "c: {4155550100}"],
    "a foreign phone": ["a: Can you share your mobile number?", "c: {07911123456}"],
    "the other way round": ["c: What number can I call you on?", "a: {8005550199}"],
    "a sentence around it": ["a: What's your phone number?", "c: sure it is {2125550100} thanks"],
    # What was asked for may be nobody's.
    "an order number": ["a: May I have your order number?", "c: 123456789"],
    "an order number like a phone": ["a: What is your order number?", "c: 2125550100"],
    "an order number like a card": ["a: Order number?", "c: 4111111111111111"],
    "a tracking number": ["a: What's the tracking number?", "c: 9400111899223397"],
    "a policy number": ["a: Please provide your policy number", "c: 987654321"],
    "an item number": ["a: Which item number is it?", "c: 4155550100"],
    "a ticket": ["a: Do you have a ticket number?", "c: 555123456"],
    "nothing was asked": ["a: Hello", "c: 123456789"],
    # The order of things.
    "a question by the same side": ["c: Is my social security number on file?", "c: 123456789"],
    "an agent who looks something up": ["a: Your social is needed here.", "a: 123456789"],
    "the last question counts": [
        "a: What is your social security number?",
        "a: Or rather, may I have your order number?",
        "c: 123456789",
    ],
    "the last question counts, the other way": [
        "a: May I have your order number?",
        "c: 123456789",
        "a: And your social security number?",
        "c: {123456788}",
    ],
    "an answered question ends": [
        "a: What is your social security number?",
        "c: {123456788}",
        "a: Thanks. One moment.",
        "c: 987654321",
    ],
    "a question holds for several replies": [
        "a: Which phone numbers can we reach you on?",
        "c: {2125550100}",
        "c: {4155550199}",
    ],
    "small talk in between": [
        "a: What is your phone number?",
        "c: one sec",
        "a: Sure, take your time",
        "c: {2125550100}",
    ],
    "a question back": [
        "a: I need your social security number",
        "c: why do you need that?",
        "a: To find your file.",
        "c: {123456789}",
    ],
    "are you there": [
        "a: Can I get your card number?",
        "a: Are you still there?",
        "c: yes {4111111111111111}",
    ],
    "a question about something else": [
        "a: What is your social security number?",
        "c: hm",
        "a: What is your zip code?",
        "c: 941100001",
    ],
    "small talk does not last forever": [
        "a: What is your social security number?",
        *("c: hm", "a: ok", "c: hm", "a: ok", "c: hm", "a: ok", "c: hm", "a: ok"),
        "c: 123456789",
    ],
    "a statement is no question": [
        "a: What is your social security number?",
        "a: I have your order here.",
        "c: {123456789}",
    ],
    "a bot hands over": [
        "b: Please enter your phone number",
        "a: Hi, Bob here",
        "c: {2125550100}",
    ],
    "a bot asked something else before": [
        "b: Please enter your phone number",
        "a: Your order number please",
        "c: 2125550100",
    ],
    "both ask": [
        "a: What is your social security number?",
        "c: What is your phone number?",
        "c: {123456789}",
    ],
    "interleaved": [
        "a: What's your phone number?",
        "c: my order is 987654321",
        "c: and {2125550100}",
    ],
    # Values typed over several messages.
    "an ssn in two messages": ["a: Your social security number?", "c: {123 45}", "c: {6789}"],
    "an ssn in three": ["a: Your social security number?", "c: {123}", "c: {45}", "c: {6789}"],
    "a card in four": [
        "a: Card number please",
        *("c: {4111}", "c: {1111}", "c: {1111}", "c: {1111}"),
    ],
    "a card in four, not asked for": ["c: card {4111}", "c: {1111}", "c: {1111}", "c: {1111}"],
    "a new question begins a new answer": [
        "a: Your social security number?",
        *("c: 123 45", "a: Or your order number?", "c: 6789"),
    ],
    "a card in two, not asked for": ["c: my card is {4111 1111}", "c: {1111 1111}"],
    "a card in two with dots": ["a: Card number please", "c: {4111 1111}...", "c: ...{1111 1111}"],
    "a card, the agent says ok": [
        "a: Card number please",
        *("c: {4111 1111}", "a: ok", "c: {1111 1111}"),
    ],
    "a phone in three": ["a: Your phone number?", "c: {212}", "c: {555}", "c: {0100}"],
    "two phones are not one": ["a: Your phone numbers?", "c: {2125550100}", "c: 2 of them"],
    "what follows a whole card": [
        "a: Card number please",
        *("c: {4111 1111 1111 1111}", "c: 123 shirts"),
    ],
    "an email in two": ["c: write to {john.smith}", "c: {@example.com}"],
    "an email in two, after the at": ["c: write to {john.smith@}", "c: {example.com} thanks"],
    "an iban in two": ["c: {DE89 3704 0044}", "c: {0532 0130 00}"],
    "an order number in two": ["a: Your order number?", "c: 123 45", "c: 6789"],
    "nothing but a space in between": ["c: ssn {123 45}", "c: \u2003", "c: {6789}"],
    "quantities are no phone": ["c: I want 2", "c: 5 in blue and 1000000 in red"],
    # A value that was found is found again.
    "the agent repeats it": [
        "a: What's your phone number?",
        "c: {2125550100}",
        "a: So that is {(212) 555-0100}, right?",
    ],
    "with the country's code": [
        "a: What's your phone number?",
        "c: {2125550100}",
        "a: I noted {+1 212.555.0100}",
    ],
    "bare, long before": [
        "c: {123456789}",
        *("a: Sorry, what is that?", "c: my social is {123-45-6789}"),
    ],
    "other separators": [
        f"c: my card is {{{CARD}}}",
        "a: {4111.1111.1111.1111}?",
        "c: {4111_1111_1111_1111}",
    ],
    "an ssn in one piece": ["c: ssn {123-45-6789}", "a: I typed {123456789} in"],
    "an iban in small letters": ["c: {DE89370400440532013000}", "a: {de89/3704/0044/0532/0130/00}"],
    "an email in capitals": ["c: {ann@example.com}", "a: {ANN@EXAMPLE.COM}, yes?"],
    "last four read back": [
        "a: What are the last four digits of your social?",
        "c: {6789}",
        "a: Thanks, {6789}, correct?",
    ],
    "last four said again": [
        "a: What are the last four digits of your social?",
        "c: {6789}",
        "a: Sorry?",
        "c: {6789}",
    ],
    "the card that ends in": [f"c: my card is {{{CARD}}}", "a: hm", "a: The card ending {1111}?"],
    "a year is a year": [
        "a: What are the last four digits of your social?",
        "c: {2024}",
        "a: You joined in 2024.",
        "c: I think so",
        "c: the 2024 model, I mean",
    ],
    "a price is a price": [
        "a: What are the last four digits of your card?",
        "c: {1500}",
        "a: That makes $1500",
    ],
    "part of a longer number": ["c: call {212-555-0100}", "a: tracking 99212555010077"],
}


def parsed(turns: list[str]) -> tuple[list[dict[str, str]], list[str]]:
    """Return the messages of a conversation, and the texts that should be left of them."""
    messages, left = [], []
    for turn in turns:
        side, _, text = turn.partition(": ")
        messages.append({"from": side, "text": text.replace("{", "").replace("}", "")})
        left.append("[REDACTED]".join(_outside(text)))
    return messages, left


def _outside(text: str) -> list[str]:
    """Return what stands outside the braces."""
    return [part.rpartition("}")[2] for part in text.split("{")]
