import base64
import hashlib
import hmac
import time


def is_from_keystead(headers, body, secret):
    """Whether a message comes from Keystead. `body` is the bytes as they arrived, before anything has parsed them."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    try:
        if abs(time.time() - int(timestamp)) > 300:
            return False
    except (ValueError, OverflowError):
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # While the secret is rotated there are two.
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(signature.encode(), wanted.encode()) for signature in given)
