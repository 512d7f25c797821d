"""Addresses that a CDN opens for a few minutes: Bunny's token, CloudFront's signed policy; pure.

The media door sends players there with a redirect: a right which ends is noticed at the door within seconds, and an
address that was copied from the CDN dies by its own end. What is signed covers one version of one video.
"""

import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

LONGEST_S = 300


def ends_at(now: float) -> int:
    """The end of an address given out now: in four to five minutes, at a whole one: one signature serves many."""
    return (int(now) // 60) * 60 + LONGEST_S


def bunny_token(key: str, expires: int, token_path: str = "", path: str = "") -> str:
    """Bunny's `HS256-…` for everything below `token_path`, or for `path` alone.

    Source: https://docs.bunny.net/cdn/security/token-authentication/advanced
    """
    data = f"token_path={token_path}" if token_path else ""
    message = f"{token_path or path}{expires}{data}"
    digest = hmac.digest(key.encode(), message.encode(), "sha256")
    return "HS256-" + urlsafe_b64encode(digest).rstrip(b"=").decode()


def bunny(base_url: str, key: str, folder: str, file: str, expires: int) -> str:
    """`folder` is `/videos/{id}/{version}/`; in the path form, so that relative addresses keep the token."""
    token = bunny_token(key, expires, token_path=folder)
    return (
        f"{base_url}/bcdn_token={token}&expires={expires}&token_path={quote(folder, safe='')}{folder}{file}"
    )


def _aws64(data: bytes) -> str:
    """Source: AmazonCloudFront/latest/DeveloperGuide/private-content-setting-signed-cookie-custom-policy.html"""
    return b64encode(data).decode().translate(str.maketrans("+=/", "-_~"))


def policy(resource: str, expires: int) -> str:
    """The custom policy, without white space as CloudFront wants it."""
    condition = {"DateLessThan": {"AWS:EpochTime": expires}}
    statement = {"Statement": [{"Resource": resource, "Condition": condition}]}
    return json.dumps(statement, separators=(",", ":"))


@lru_cache(maxsize=2)
def _private_key(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("CloudFront signs with an RSA key")
    return key


@lru_cache(maxsize=4096)
def cloudfront_query(resource: str, key_id: str, pem: str, expires: int) -> str:
    """The query that opens everything `resource` names (`https://…/videos/{id}/{version}/*`).

    SHA-1 is what CloudFront checks where no other is named. One signature costs half a millisecond and serves a minute.
    """
    said = policy(resource, expires)
    signature = _private_key(pem).sign(said.encode(), padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    return f"Policy={_aws64(said.encode())}&Signature={_aws64(signature)}&Key-Pair-Id={key_id}"


def cloudfront(base_url: str, key_id: str, pem: str, folder: str, file: str, expires: int) -> str:
    query = cloudfront_query(f"{base_url}{folder}*", key_id, pem, expires)
    return f"{base_url}{folder}{file}?{query}"


@dataclass(frozen=True)
class Cdn:
    """What the settings say. `kind`: `bunny`, `cloudfront` or `s3`."""

    kind: str
    base_url: str
    key: str
    key_id: str

    def address(self, folder: str, file: str, expires: int) -> str:
        """Where `file` of `folder` (`/videos/{id}/{version}/`) is for whoever asks before `expires`."""
        if self.kind == "bunny":
            return bunny(self.base_url, self.key, folder, file, expires)
        return cloudfront(self.base_url, self.key_id, self.key, folder, file, expires)
