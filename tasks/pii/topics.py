"""The words that tell what a number near them is, in the languages customers write in."""

from __future__ import annotations

from typing import Literal

from tasks.pii.findings import Entity

#: `reference` is a number that is nobody's: of an order, an amount, a date. `account` is one too,
#: except that people call the number of their card so.
Topic = Entity | Literal["reference", "account"]

_WORDS: dict[Topic, str] = {
    "phone": """
        phone phones phonenumber telephone telephones tel ph mobile mob mobil cell cellphone cel
        landline call calls called calling callback callbacks answering dial dialed dialing reach
        reached text texted sms whatsapp signal telegram viber fax pager hotline contact contacts
        conno msisdn gsm
        telefon telefonnummer telefonisch handy handynummer mobilnummer mobilfunk rufnummer festnetz
        anrufen anruf rufen ruf erreichen erreichbar durchwahl
        téléphone telephonique tél portable appeler appelez appelle rappeler joindre joignable fixe
        teléfono telefono telefonos teléfonos móvil movil celular llamar llame llámame llamame
        llámeme llamada
        cellulare chiama chiamare chiamami chiamatemi richiamare
        telefone telemóvel telemovel ligar ligue contato contacto
        telefoon telefoonnummer mobiel bellen bel bereiken bereikbaar belnummer
    """,
    "ssn": "ssn ssns social socialsecurity socialsecuritynumber",
    "credit_card": """
        card cards cardnumber creditcard debitcard cc ccn credit debit visa mastercard amex discover
        maestro diners
        kreditkarte kreditkartennummer karte kartennummer karten carte tarjeta tarjetas carta
        cartão cartao kaart kaartnummer creditcardnummer
    """,
    "email": "email emails mail mails gmail correo courriel",
    "iban": "iban",
    "ip_address": "ip ips ipv ipaddress clientip host server",
    "account": """
        account accounts acct accnt acc ac accountnumber bank routing savings checking
        konto kontonummer compte cuenta conto conta rekening rekeningnummer
    """,
    "reference": """
        order orders ordernumber orderid item items itemid policy policies tracking track
        trackingnumber invoice invoices ticket tickets case cases reference ref refs referencenumber
        confirmation booking serial isbn issn sku skus part parts partnumber flight reservation id
        ids identifier identifiers product products productid model code codes claim claims member
        membership loyalty customerid userid transaction transactions txn receipt package
        parcel shipment shipping delivery ups fedex usps dhl imei upc ean gtin asin batch lot
        version release build license licence passport vin plate zip zipcode postal postcode pin
        otp password username amount total price paid balance cost usd eur gbp dollars euros date
        dob born birthday year epoch timestamp unix trace session request token hash uuid guid
        record mrn patient employee student article quantity qty issue bug error score page voucher
        coupon promo inventory catalog catalogue sequence subscription contract quote po rma lead
        merchant terminal store vat ein npi
        medicare nhs aadhaar tfn sin voter incident change revenue population salary ts
        bestellung bestellnummer auftrag auftragsnummer rechnung rechnungsnummer kundennummer
        artikel artikelnummer sendung sendungsnummer sendungsverfolgung vorgang vorgangsnummer
        vertrag vertragsnummer seriennummer betrag datum postleitzahl plz
        commande facture colis suivi référence dossier article montant
        pedido pedidos factura seguimiento artículo articulo referencia código codigo importe
        ordine ordini fattura spedizione articolo pratica codice importo riferimento
        encomenda fatura rastreio artigo valor
        bestelling bestelnummer factuur factuurnummer klantnummer zending pakket bedrag
    """,
}

#: Two words, one of the first and one of the last, that mean something else than the last alone.
_PHRASES: tuple[tuple[Topic | None, str, str], ...] = (
    (
        "phone",
        "my your his her our their best good another other alternate alternative new callback",
        "number no num nr line",
    ),
    ("phone", "meine mi mon mijn", "nummer número numero numéro"),
    ("phone", "main direct home work", "line number"),
    ("phone", "ring", "me us"),
    ("credit_card", "american master", "express card"),
    (
        "reference",
        "gift loyalty library sim member membership rewards reward id graphics memory sd store",
        "card cards",
    ),
    ("reference", "phone call text contact mobile", "id case model plan order"),
    ("reference", "customer client numéro numero", "number no nr num client"),
    ("ssn", "soc", "sec"),
    (None, "in", "case order"),
    (None, "social", "media"),
)

WORDS: dict[str, Topic] = {word: topic for topic, words in _WORDS.items() for word in words.split()}
#: None where a phrase means nothing although its last word does.
PHRASES: dict[str, Topic | None] = {
    f"{first} {last}": topic
    for topic, firsts, lasts in _PHRASES
    for first in firsts.split()
    for last in lasts.split()
}
#: What a word says of the number that it follows.
AFTERWARDS: dict[str, Topic] = {**WORDS, "office": "phone", "home": "phone", "work": "phone"}
