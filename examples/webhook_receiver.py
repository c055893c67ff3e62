import hashlib
import hmac
import time

MAX_AGE_SECONDS = 300


def is_genuine(secret: str, body: bytes, header: str) -> bool:
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    seconds = parts.get("t", "")
    wanted = hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    is_recent = seconds.isdecimal() and abs(time.time() - int(seconds)) <= MAX_AGE_SECONDS
    return is_recent and hmac.compare_digest(wanted.encode(), parts.get("v1", "").encode())
