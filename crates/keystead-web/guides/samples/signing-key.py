import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key


def is_signed(headers, body, pem):
    """Whether a message was signed by the agency whose public key this is. `body` is the bytes as they arrived."""
    key = load_pem_public_key(pem.encode())
    try:
        key.verify(base64.b64decode(headers.get("x-ghl-signature", ""), validate=True), body)
        return True
    # What is no base64 is a ValueError.
    except (InvalidSignature, ValueError):
        return False
