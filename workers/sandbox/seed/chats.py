"""Seeded interactions: chats full of personal data, and of numbers that only look like it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from workers.sandbox.seed import phrases
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, new_id


def interaction(rng: random.Random, *, started: float, state: str = "completed") -> Document:
    """A chat that began at `started` (epoch seconds), a message every 5 to 90 seconds."""
    customer, agent = new_id(rng), new_id(rng)
    document: Document = {
        "id": new_id(rng),
        "type": rng.choices(("webmessaging", "email", "sms"), (8, 1, 1))[0],
        "state": state,
        "startTime": iso(started),
        "messages": [],
        "participants": [
            {"id": customer, "role": "customer"},
            {"id": agent, "role": "agent"},
        ],
    }
    sent = started
    for _ in range(rng.randint(2, 9)):
        document["messages"].append(next_message(rng, document, sent))
        sent += rng.uniform(5, 90)
    return document


def next_message(rng: random.Random, chat: Document, sent: float) -> Document:
    """The message that follows in a chat: the sides take turns, the customer begins."""
    sides = [participant["id"] for participant in chat["participants"]]
    turn = len(chat["messages"]) % 2
    lines = phrases.AGENT_LINES if turn else phrases.CUSTOMER_LINES
    return {
        "id": new_id(rng),
        "type": "text",
        "from": sides[turn],
        "to": sides[1 - turn],
        "timestamp": iso(sent),
        "text": _fill(rng, rng.choice(lines)),
        "channel": {"platform": "web", "receipts": [{"status": "delivered"}]},
    }


def card_number(rng: random.Random) -> str:
    """A 16-digit number that passes the Luhn check, in groups of four."""
    digits = [4, *(rng.randrange(10) for _ in range(14))]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[::2])
    digits.append(-(doubled + sum(digits[1::2])) % 10)
    text = "".join(map(str, digits))
    return " ".join(text[i : i + 4] for i in range(0, 16, 4))


def iban(rng: random.Random) -> str:
    """A German IBAN with valid check digits."""
    account = f"{rng.randrange(10**18):018}"
    check = 98 - int(f"{account}131400") % 97
    return f"DE{check:02}{account}"


def _email(rng: random.Random) -> str:
    name = rng.choice(phrases.FIRST_NAMES).lower().encode("ascii", "ignore").decode()
    return f"{name}{rng.randint(1, 999)}@example.com"


_FIELD = re.compile(r"\{(\w+)\}")
_MAKERS: dict[str, Callable[[random.Random], str]] = {
    "email": _email,
    "phone": lambda rng: f"+1 (555) {rng.randint(200, 999)}-{rng.randint(0, 9999):04}",
    "card": card_number,
    "ssn": lambda rng: f"{rng.randint(100, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
    "ip": lambda rng: f"203.0.113.{rng.randint(1, 254)}",
    "iban": iban,
    "order": lambda rng: f"{rng.randint(10**9, 10**10 - 1)}",
    "invoice": lambda rng: f"INV-{rng.randint(10**5, 10**6 - 1)}",
    "tracking": lambda rng: f"1Z{rng.randint(10**15, 10**16 - 1)}",
    "item": lambda rng: f"{rng.randint(10**8, 10**9 - 1)}",
}


def _fill(rng: random.Random, line: str) -> str:
    return _FIELD.sub(lambda match: _MAKERS[match[1]](rng), line)
