"""Texts with personal data, which stands between « and »."""

from __future__ import annotations

EMAILS = """
write to «ann.o'neil+x@mail.example.co.uk».
«ann@example.com»
<«bob.stone@example.com»>
mailto:«sales_team@sub-domain.example.museum»?subject=x
email=«alice@example.com»&id=3
'«dev@example.com»'
Emails: «a@b.co»,«b@c.io»;«c@d.net»
«jürgen@müller.de» schrieb
«name%tag@example.org» and more
«ann＠example.com»
«ann@exam\u00adple.com» with a soft hyphen
«john (at) example dot com»
«john.smith [at] example [dot] co.uk»
it's «john dot smith at gmail dot com»
«jane99 at hotmail dot com» thanks
my e-mail is «kim at example dot org»
my email address is «lee at gmail.com»
{"email":"«leo@sample.dev»","n":1}
(«billing-team@sub.domain.com»), thanks
«JANE.DOE@EXAMPLE.ORG»
"""

#: The numbers are those that regulators reserve for examples or plain sequences.
PHONES = """
US office: «(212) 555-0100»
US «+1-541-754-3010»
US «1-800-555-0199» is toll-free
US «001-604-555-1234x123»
US «(541) 754-3010 ext. 12»
US «541.754.3010 x89»
US it's «415 555 0100»
US my cell is «4155550100»
CA «+1 (604) 555-0123»
MX «+52 55 1234 5678»
UK «+44 20 7946 0958»
UK «+44 (0)20 7946 0958»
UK «020 7946 0958» after six
UK mobile «07700 900123»
UK «0044 20 7946 0958»
IE «+353 1 234 5678»
DE «+49 30 12345678»
DE «030/1234567-89»
DE Rufnummer «0151 23456789»
DE meine Handynummer ist «015123456789»
DE ruf mich an: «089 / 123 45 67»
AT «+43 1 58858-0000»
CH «044 668 18 00»
CH «+41 44 668 18 00»
FR «06 12 34 56 78»
FR «02.27.96.63.08»
FR mon numéro est le «0612345678»
FR «+33 (0)6 12 34 56 78»
ES mi teléfono es «612 345 678»
ES llámame al «612345678»
IT «+39 06 6982 1234»
IT il mio cellulare è «333 1234567»
PT ligue para «912 345 678»
NL «06-12345678»
NL bel me op «0612345678»
BE «02 123 45 67» bellen
LU «+352 27 12 34 56»
DK phone «20121999»
DK ring me on «20 12 34 56»
NO «+47 22 12 34 56»
SE «08-123 456 78»
SE «+46 8 123 456 78»
FI «040 123 4567»
PL «+48 601 234 567»
CZ «+420 601 234 567»
HU «+36 1 234 5678»
GR «+30 21 0123 4567»
TR «0532 123 45 67»
RU «+7 (912) 345-67-89»
UA «+380 44 123 4567»
IL «050-123-4567»
AE «+971 50 123 4567»
SA «+966 50 123 4567»
EG «+20 2 1234 5678»
ZA «+27 21 123 4567»
NG «+234 803 123 4567»
KE «+254 712 345678»
IN «+91 98765 43210»
IN «98765 43210»
PK «+92 300 1234567»
BD «+880 1712-345678»
CN «138 0013 8000»
CN «+86 138 0013 8000»
JP «03-1234-5678»
JP «090-1234-5678»
KR «010-1234-5678»
TW «+886 2 1234 5678»
HK phone «2345 6789»
SG call «6123 4567»
MY «+60 12-345 6789»
TH «+66 2 123 4567»
VN «+84 24 1234 5678»
Indonesia «(021) 1234567»
PH «+63 917 123 4567»
AU «(02) 9876 5432»
AU «0412 345 678»
NZ «+64 9 123 4567»
BR «(11) 98765-4321»
BR «+55 11 98765-4321»
AR «+54 9 11 1234-5678»
CL «+56 2 2123 4567»
CO «+57 1 234 5678»
order 12345 is late, please reach me at «4155550100»
«4155550100» is my cell
«166-684-7899» fax
«61 51 81» office
They're not answering at «785 8949»
phone: «٢١٢-٥٥٥-٠١٠٠»
phone «２１２－５５５－０１００»
call «212\u200b555\u200b0100»
call «212\u2011555\u20110100»
call «212\u00a0555\u00a00100»
tel. «२१२ ५५५ ०१००»
{"phoneNumber": "«4155550100»"}
phone_number=«4155550100»
whatsapp me: «4155550100»!
«+14155550100»
tel:«+1-415-555-0100»
My order never came, call me back on «415-555-0100»
"""

SSNS = """
Employee SSN is «123-45-6789» on file.
«123-45-6789»
SSN:«123-45-6789»;DOB:1990-01-01
my ssn is «123 45 6789»
my social security number is «123456789»
social: «123.45.6789»
the last value was ssn «098465487»
Backup SSN «987-65-4321» recorded.
"ssn":"«111-22-3333»"
Values «123-45-6789» and «111-22-3333»
ssn «١٢٣-٤٥-٦٧٨٩»
SSN «123\u201045\u20106789»
it is «123-45-6789», and my order is 12345
«123-45-6789» is my social
"""

CARDS = """
«4111111111111111»
«4111 1111 1111 1111»
«4111-1111-1111-1111», cvv 123
Visa «4111.1111.1111.1111»
card «4111111111111112» has a wrong digit
«4111 1111 1111 1112»
my card number is «4222222222222»
«3782 822463 10005»
«378282246310005» amex
«3400-000000-00009»
diners «3056 930902 5904»
«30569309025904» thanks
«6011 1111 1111 1117»
«3530111333300000»
«5555555555554444» exp 12/25 cvc 123
mastercard «2221 0000 0000 0009»
maestro «501800000009»
«6304 0000 0000 0000»
«6759649826438453»
«6200 0000 0000 0000 003»
my credit card is «41111 11111 11111 1»
«4111111111111111» 12/25 123
«4111111111111111» [thanks]
«4111111111111111» ￼
«378282246310005» 1234
«4111 1111 1111 1111» «4012 8888 8888 1881»
«4111 1111 1111 1111» 12/25 123
account «4111 1111 1111 1111» was charged twice
beneficiary account «5500000000000004» due 2024-11-01
card «４１１１ １１１１ １１１１ １１１１»
card «4111\u200b1111\u200b1111\u200b1111»
Kreditkarte «4111 1111 1111 1111»
carte bancaire «4111111111111112»
tarjeta «5412 7512 3412 3456»
cc: «5105105105105100»
pay with «4012888888881881» please
(«4111 1111 1111 1111»)
"card":"«4111111111111111»"
"""

IP_ADDRESSES = """
from «192.168.10.20».
Ping «127.0.0.1» for diagnostics.
[«203.0.113.9»] in logs
http://«203.0.113.7»:8080/path
«10.0.0.0»/8 is private
client_ip=«198.51.100.23»
Hosts «10.0.0.1» and «172.16.0.5»
«8.8.8.8», «8.8.4.4»
at «2001:db8::ff00:42:8329»
«::1» is local
[«2001:db8::1»]:443
«fe80::1»%eth0
«fe80::1»[eth0]
«::ffff:192.0.2.128» is mapped
«4f8a:c99e:dc86:faf9:5988:5f63:375e:8a2a» blocked
«2001:DB8::1»
address «2001:db8:0:0:0:0:2:1».
«１９２.168.10.20» in wide digits
"""

IBANS = """
«DE89 3704 0044 0532 0130 00» please
«gb82west12345698765432»
IBAN «GB29 NWBK 6016 1331 9268 19».
«FR14 2004 1010 0505 0001 3M02 606»
«NL91ABNA0417164300»
«CH93 0076 2011 6238 5295 7»
«ES91 2100 0418 4502 0005 1332»
«IT60 X054 2811 1010 0000 0123 456»
«BE68 5390 0754 7034»
«PL61 1090 1014 0000 0712 1981 2874»
«NO93 8601 1117 947»
«MT84MALT011000012345MTLCAST001S»
«DE89-3704-0044-0532-0130-00»
my iban is «DE89 3704 0044 0532 0130 01» with a wrong digit
«AT61 1904 3002 3457 3201»
room AB12 or «BE68539007547034»
(«SE45 5000 0000 0583 9825 7466»)
iban:«ＤＥ89370400440532013000»
"""

CASES = {
    "email": EMAILS,
    "phone": PHONES,
    "ssn": SSNS,
    "credit_card": CARDS,
    "ip_address": IP_ADDRESSES,
    "iban": IBANS,
}
