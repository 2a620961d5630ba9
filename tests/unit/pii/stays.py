"""Texts that hold no personal data, by the entity that they are mistaken for."""

from __future__ import annotations

EMAILS = """
me@home
@alone
not-an-email@
@user said hello
https://example.com/@user/profile
const EMAIL_PATTERN = /[a-z]+@[a-z]+/;
react@18.2.0
left-pad@1.3.0 is pinned
user@localhost
lunch @ noon
5 items @ 3.99 each
10@2.50
look at the dot in the middle
meet me at example
I am at the store. Come over
she works at google
we shop at target dot
he looked at gmail.com yesterday
I saw it at amazon.com
the deal at store.example.com
meet at 5
at dot com
it is @ 12.30
a@b
@@@@
@.com
name@.com
name@com.
name@-
root@[::]
call @support
twitter: @genesys_cloud
@Override
@media (max-width: 600px)
git log @{upstream}
git show HEAD@{1}
p@ssw0rd
f@il
c@t and d@g
see you @ the office.
price @ 5 dollars
look (at this) dot
the [at] sign
sent at dot five
we stayed at hotel dot
who is at outlook
@example.com
joined at once
"""

PHONES = """
order 2125550100
my order number is 4155550100
order id: 3348917502
Order ID: 0828353837 please check
the order 212-555-0100 is late
item 2125550100
item number 7812568915
invoice 212 555 0100
ticket #4155550100
#4155550100
tracking number 9361289878
your tracking 1234567890123
case 0123456789
reference 020 7946 0958
ref: 415-555-0100
confirmation 4155550100
booking 06 12 34 56 78
serial 98765 43210
Part number: 555-123-4567-A
ABC-555-123-4567
SKU 555-123-4567
model 0412345678
product 4155550100
https://shop.example/item/2125550100
https://shop.example/4155550100?x=1
policy number 4155550100
claim 4155550100
Bestellnummer 4155550100
Bestellung 0151 23456789
Kundennummer 0301234567
Rechnung 4155550100
commande 0612345678
numéro de commande 06 12 34 56 78
pedido 612345678
número de pedido 612 345 678
ordine 3331234567
encomenda 912345678
bestelling 0612345678
factuur 0612345678
2026-01-31
31.01.2026
01/31/2026 10:30
call me on 2026-01-31
call between 9 and 12
20260131
text me before 31.12.2026
call me at 10:30 or 11:45
1699999999
1699999999999
2026-01-31T10:30:45.123456Z
at 12:30:45 on 2026-01-31
isbn 978-3-16-148410-0
978-3-16-148410-0
$4155550100
4155550100 USD
€ 4155550100
the total is 4155550100
amount 1 234 567 890
1,234,567,890 people
40.712776, -74.005974
52.520008 13.404954
550e8400-e29b-41d4-a716-446655440000
trace 4bf92f3577b34da6a3ce929d0e0e4736
24/7
2019-2024
10-20 days
pages 100-200
3.14159265358979
0.1234567890
ISO 9001:2015
version 10.15.7
v2026.2.9
94105-1234
zip 94105-1234
00:1a:2b:3c:4d:5e
room 1234567
size 10-12-14
score 100-99-98
I paid 19.99 for 2 of 3
4155550100abc
abc4155550100
x4155550100
a1b2c3d4155550100
Sequence 1234 5678 90 is not a card
Numbers 111222333444 are identifiers
555-0199-2
12 34 56
the years 2019 2020 2021 2022
1 2 3 4 5 6 7 8 9 10 is how one counts
"""

SSNS = """
policy 123456789
policy number is 896521154
policy number 123-45-6789
my policy number is dfe 549574459
order 123456789
order 123-45-6789
item 123456789
claim 123-45-6789
case 123-45-6789
ssn 000-12-3456
ssn 666-12-3456
ssn 123-00-4567
ssn 123-45-0000
Invalid SSN 000-00-0000 should be ignored.
Invalid SSN 666-12-9999 should be ignored.
Bad SSN 123-45-678
Bad SSN 123-45-67890
Suspicious token 123 45 6789 appears.
123 45 6789
123.45.6789
123456789
900-12-3456
987-65-4321
member id 123-45-6789
employee 123456789
customer 123456789
account 123456789
routing 021000021
the routing number is 121000358
tracking 123-45-6789
serial 123-45-6789
part 123-45-6789
SKU 123-45-6789
ABC-123-45-6789
123-45-6789-0
1123-45-6789
123-45-67891
123-456-789
12-345-6789
EIN 12-3456789
zip 12345-6789
94105-1234
invoice 123-45-6789
2024-01-2345
12345-678-9012
flight 123456789
student 123-45-6789
license 123456789
passport 123456789
amount 123456789
0123456789012
I spend 123456789 on social media
"""

CARDS = """
order 4111111111111111 has shipped
order number 5555555555554444
item 4012888888881881
invoice 5105105105105100
tracking number 4111111111111111
your tracking: 5555555555554444
tracking 9400 1118 9922 3397 5621 23
9400 1118 9922 3397 5621 23
ticket 4111111111111111
reference 378282246310005
serial 6011111111111117
gift card 4111111111111112
my gift card number is 6006491234567890
loyalty card 1234567890123456
library card 21234567890123
membership card 1234 5678 9012 3456
SIM card 8944123456789012345
Inventory code 1234567890123456 not card.
Number 411111111111111 is too short.
Number 41111111111111111 is too long.
isbn 9783161484100
9783161484100
978-3-16-148410-0
ean 4006381333931
gtin 00012345600012
imei 490154203237518
490154203237518
1699999999999
at 1699999999999 ms
timestamp 1700000000000
epoch 1699999999999999
20260131123045
2026-01-31 12:30:45.1234567890
1Z999AA10123456784
550e8400-e29b-41d4-a716-446655440000
4bf92f35-7734-4da6-a3ce-929d0e0e4736
transaction 4111111111111111
session 4111111111111111
trace id 4111111111111111
request 5555555555554444
ABC-4111111111111111
4111111111111111abc
abc4111111111111111
https://example.com/orders/4111111111111111
Bestellnummer 4111111111111111
commande 5555555555554444
pedido 4012888888881881
ordine 5105105105105100
bestelling 378282246310005
$4111111111111111
the amount of 4111111111111111
1,234,567,890,123,456
3.1415926535897932
0.4111111111111111
the counter on the old machine in the hall reads 4111111111111112 since we moved in here
card ending in 4242
card ends with 1111
exp 12/25 cvv 123
visa 4242
123456789012
account 1234567890123456
account number 1111 2222 3333
konto 1234567890123456
UPS 1234567890123456
fedex 961234567890123456
batch 4111111111111111
lot 5555555555554444
the rows 1000 2000 3000 and 4000
"""

IP_ADDRESSES = """
Invalid 256.1.1.1 should fail.
999.1.1.1
Invalid 192.168.1 should fail.
Invalid 10.0.one.2 should fail.
version 1.2.3.4
v1.2.3.4
v 1.2.3.4
Version: 10.0.19045.3693
release 2.0.1.0
build 6.1.7601.0
firmware 1.0.0.12
driver 31.0.15.3623
section 1.2.3.4
chapter 3.1.2.1
OID 1.3.6.1.4.1.311
1.3.6.1.4.1.311.2
1.2.3
1.2.3.4.5
1.2.3.4-beta.5.6.7.8.9
1.2.3.4a
a1.2.3.4
Chrome/119.0.0.0 Safari/537.36
nginx/1.18.0.1
std::vector
std::map::iterator
a::b
dead::beef
Foo::Bar
::
:: and ::
12:30:45
at 12:30:45 on Monday
10:20
00:1a:2b:3c:4d:5e
00:1a:2b:ff:fe:3c:4d:5e
de:ad:be:ef
SHA256:ab:cd:ef:01:23:45:67:89:ab:cd
1:2:3
16:9
ratio 1:2:3:4
a:b:c
{"a":1,"b":2}
key::value
Build id 0x7f00ff00 is not an IP address
Release v2026.2.9 fixed the issue
31.12.2026
3.14.15
1.000.000.000
1,2,3,4
urn:isbn:123
12::30::45
g001::1
1:2:3:4:5:6:7:8:9
12345::1
"""

IBANS = """
order DE12345678
DE 123456789
VAT DE123456789
USt-IdNr DE 123456789 ist gesetzt.
invoice GB1234567
DE89
DE89 3704
GB29 NWBK
item AB12345678901234567890
XX82WEST12345698765432
GB82WEST1234569876543
GB82WEST12345698765433
part GB82TEST12345698765432
FR76 and FR14
AB12 is a postcode
SW1A 1AA
serial US12ABCD3456EFGH7890
ZZ00 0000 0000 0000 0000
order number NL12ABCD0123456789
DE00370400440532013000
a DE8937040044053201300
DE893704004405320130000
1DE89370400440532013000
XDE89370400440532013000
tracking RR123456785US
LX123456789CH
1Z999AA10123456784
A1B2C3D4E5F6G7H8
ab12cd34ef56ab12cd34
in 2024 we had 12 of them
is 12 of 34 enough
at 10 to 12 o'clock each and every day
on 24 and 25 and 26 of the month
to 18 people or more than that number
my 15 items are all in one big box here
no 22 is what i said to you and them
be 16 when you are done with all this
es12345678
it 2027
GB00WEST12345698765432
CH12 0000 0000 0000
pt50 is not long enough
SE45 5000
license DE12 ABC 3456
flight LH1234 on 2024
BIC DEUTDEFF500
NWBKGB2L
"""

CASES = {
    "email": EMAILS,
    "phone": PHONES,
    "ssn": SSNS,
    "credit_card": CARDS,
    "ip_address": IP_ADDRESSES,
    "iban": IBANS,
}
