"""What a customer attribute is on the wire of a target: a text, an exact number or a boolean."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tasks.apis.customers import CustomerAttribute, Shape, Target

WireValue = str | Decimal | bool

#: A number beyond so many digits before or after its point keeps its exponent as a text.
LONGEST_PLAIN = 400

#: The largest whole number of the targets whose numbers are whole: those of JavaScript.
LARGEST_INTEGER: Mapping[Target, int] = {"cognigy": 2**53 - 1}


def on_the_wire(attribute: CustomerAttribute, shape: Shape) -> WireValue:
    """Return the value as the target of `shape` is sent it, and gives it back.

    A type that its wire does not have travels as a text, and so does a number that it would change.
    """
    value = attribute.value
    if attribute.type not in shape.types:
        return as_text(value)
    if not isinstance(value, Decimal) or shape.target not in LARGEST_INTEGER:
        return value
    return Decimal(int(value)) if holds(value, shape) else as_text(value)


def holds(number: Decimal, shape: Shape) -> bool:
    """Return whether the target of `shape` has `number`, as a number or as a text."""
    largest = LARGEST_INTEGER.get(shape.target)
    return largest is None or (
        number.copy_abs() <= largest and number == number.to_integral_value()
    )


def as_text(value: WireValue) -> str:
    """Return `value` as text: a number in plain digits with all its zeros, `true` or `false`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(value) if isinstance(value, Decimal) else value


def plain(number: Decimal) -> str:
    """Return all digits of `number`, with an exponent only where they would be absurdly many."""
    return format(number, "f") if abs(number.adjusted()) < LONGEST_PLAIN else str(number)
