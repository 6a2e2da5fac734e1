"""What the servers of a laboratory show to whoever speaks TLS with them. Nobody looks at it, and it keeps no secret.

Made once, with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 36500`, so that a laboratory
needs no program for it: an elliptic curve, since a busy machine signs with that in a tenth of the time.
"""

from __future__ import annotations

PEM = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgON3RMmty8/IgqsT1
u+F0IlQa8ZCzEt416p3clXiKSmKhRANCAARSjCBiAaywYfVxSXOsCO41TD/vw7Oz
geMoY89F4fSPYqqx2nihUz1BPhobSPuOzKt8523/Kej2bEHQB6K/E5mI
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBkjCCATmgAwIBAgIUb2LMS+ijS2Mw3WfA5q/QJphxzRcwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIdnJycCBsYWIwIBcNMjYxMTI1MjMyMzMzWhgPMjEyNjExMDEy
MzIzMzNaMBMxETAPBgNVBAMMCHZycnAgbGFiMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEUowgYgGssGH1cUlzrAjuNUw/78Ozs4HjKGPPReH0j2Kqsdp4oVM9QT4a
G0j7jsyrfOdt/yno9mxB0AeivxOZiKNpMGcwHQYDVR0OBBYEFL8CGZyfOD+EQjcH
4oVzf1UQY2RYMB8GA1UdIwQYMBaAFL8CGZyfOD+EQjcH4oVzf1UQY2RYMA8GA1Ud
EwEB/wQFMAMBAf8wFAYDVR0RBA0wC4IJbG9jYWxob3N0MAoGCCqGSM49BAMCA0cA
MEQCIFMcwLRYivKWe8ax/qMGzjrF67g4BGo775MP+tfOJ05WAiBZ+DaGEzD4wuev
Ed+6IAv4YC/T8w6fHP/QYsGsbHgC0g==
-----END CERTIFICATE-----
"""
