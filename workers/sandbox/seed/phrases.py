"""Words and sentences of which the seeded people and chats are made. All of them are invented."""

from __future__ import annotations

FIRST_NAMES = (
    "Ada", "Bela", "Chiara", "Dmitri", "Elif", "Fatima", "Goran", "Hana", "Ivo", "Jamal",
    "Keiko", "Liam", "Mónica", "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Søren", "Tomás",
    "Uma", "Viktor", "Wanjiru", "Ximena", "Yusuf", "Zofia",
)  # fmt: skip
LAST_NAMES = (
    "Abara", "Bergström", "Castillo", "Dubois", "Eriksen", "Fischer", "García", "Horvat", "Ito",
    "Jansen", "Kowalski", "Lindqvist", "Müller", "Novak", "O'Brien", "Petrov", "Quispe", "Rossi",
    "Schmidt", "Tanaka", "Ueda", "Vargas", "Weiss", "Yilmaz", "Zhang",
)  # fmt: skip
MAIL_DOMAINS = ("example.com", "example.org", "mail.example.net", "example.co.uk")
PURPOSES = ("marketing", "analytics", "profiling", "recording", "third_party_sharing")
CONSENTS = ("granted", "denied", "withdrawn", "unknown")
TIERS = ("bronze", "silver", "gold", "platinum")
LANGUAGES = ("en-US", "en-GB", "de-DE", "fr-FR", "es-ES", "ja-JP", "pt-BR")
CITIES = ("Lisbon", "Kraków", "Denver", "Osaka", "Nairobi", "Lyon", "Graz", "Recife")
PARTICIPANT_TYPES = ("customer", "user", "agent", "external", "acd", "ivr")
PARTICIPANT_STATES = ("disconnected", "connected", "ringing", "dialing", "held")
FONTS = ("Inter", "Roboto", "Open Sans", "Noto Sans")
COLORS = ("#0B5FFF", "#1F2937", "#7C2D12", "#065F46", "#4C1D95", "#036")

#: What customers write; braces are filled with personal data or with numbers that only look
#: like it.
CUSTOMER_LINES = (
    "Hi, my order {order} has not arrived yet.",
    "You can reach me at {email}.",
    "Please call me back on {phone}, after five if possible.",
    "My card number is {card}.",
    "I was charged twice for invoice {invoice}.",
    "The tracking number says {tracking} but nothing moves.",
    "My SSN is {ssn}, is that what you need?",
    "I tried from {ip} and got the same error.",
    "Send the refund to {iban} please.",
    "It is the blue one, item {item}, size 42.",
    "Thanks, that helped!",
    "No, nothing else.",
)
AGENT_LINES = (
    "Welcome! How can I help you today?",
    "May I have your e-mail address?",
    "What is the best number to call you back?",
    "Could you give me the order number?",
    "I see order {order} in our system.",
    "I have sent a confirmation to {email}.",
    "One moment please, I am looking into it.",
    "Is there anything else I can do for you?",
)
