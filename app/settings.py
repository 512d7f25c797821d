"""One frozen Settings object, the only reader of the environment; it refuses weak secrets outside the demo."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.keys import KeyRing, WeakKey

# PostgreSQL's own: what knows the endings and the little words of each language.
Language = Literal[
    "arabic", "armenian", "basque", "catalan", "danish", "dutch", "english", "finnish", "french", "german", "greek",
    "hindi", "hungarian", "indonesian", "irish", "italian", "lithuanian", "nepali", "norwegian", "portuguese",
    "romanian", "russian", "serbian", "simple", "spanish", "swedish", "tamil", "turkish", "yiddish",
]  # fmt: skip
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Settings(BaseSettings):
    """Everything an operator can set. README's table is tested against these fields."""

    model_config = SettingsConfigDict(
        env_prefix="LIMBER_", frozen=True, populate_by_name=True, extra="ignore"
    )

    env: Literal["production", "demo"] = Field(
        "production", description="`demo` switches on the sandbox and the demo sign-ins, on loopback only"
    )
    base_url: str = Field(
        "http://127.0.0.1:8000", description="The address people type, without a slash at the end"
    )
    host: str = Field("127.0.0.1", description="Address that the web server listens on")
    port: int = Field(8000, description="Port that the web server listens on")
    data_dir: Path = Field(Path("data"), description="Folder for uploads, videos and the private database")
    database_url: str | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL address; empty: a private server under the data folder",
    )
    storage_url: str = Field("", description="`s3://bucket/prefix` keeps media in S3; empty: the data folder")
    cdn: Literal["", "bunny", "cloudfront", "s3"] = Field(
        "",
        description="With media in S3, who hands films out: `bunny`, `cloudfront`, or `s3` itself; empty: Limber",
    )
    cdn_url: str = Field(
        "", description="The CDN's address, `https://…`; for `s3` the bucket's, as players see it"
    )
    cdn_key: str = Field("", description="Bunny's token key, or CloudFront's private key as PEM")
    cdn_key_id: str = Field("", description="The id of CloudFront's public key")
    media_keys: str = Field(
        "", description="Key ring `kid:secret,…` that signs playback tokens, newest first"
    )
    edge_key: str = Field(
        "",
        description="A secret that nginx and the web server share: with it, nginx asks once for all viewers every 4 s",
    )
    link_keys: str = Field("", description="Key ring `kid:secret,…` that signs mailed links, newest first")
    smtp_url: str = Field(
        "",
        validation_alias="SMTP_URL",
        description="`smtp://user:password@host:587`, or `smtps://…`; empty: no mail",
    )
    mail_from: str = Field("Limber <noreply@example.com>", description="Sender of every mail")
    stripe_secret_key: str = Field(
        "", validation_alias="STRIPE_SECRET_KEY", description="Stripe's secret key; empty: buying is off"
    )
    stripe_webhook_secrets: str = Field(
        "",
        validation_alias="STRIPE_WEBHOOK_SECRET",
        description="Signing secret of the webhook endpoint; two, with a comma, while rotating",
    )
    stripe_api_base: str = Field(
        "https://api.stripe.com", validation_alias="STRIPE_API_BASE", description="Where Stripe answers"
    )
    outbox_url: str = Field("", description="Where the demo's mail can be read")
    session_days: int = Field(30, ge=1, description="Days that a sign-in lasts without use")
    max_upload_bytes: int = Field(20 * 1024**3, ge=1, description="Largest upload accepted, in bytes")
    upload_hours: int = Field(72, ge=1, description="Hours after which an unfinished upload is removed")
    past_due_grace_days: int = Field(
        14, ge=0, description="Days a member keeps watching after a failed renewal"
    )
    promotion_codes: bool = Field(
        False, description="Ask for promotion codes at Stripe's checkout; they are made in Stripe"
    )
    stripe_tax: bool = Field(
        False,
        description="Let Stripe Tax add what is due by the buyer's address; it is set up in Stripe first",
    )
    metrics_public: bool = Field(False, description="Let addresses other than loopback read /metrics")
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses and networks whose X-Forwarded-* headers are believed; never `*`"
    )
    ffmpeg: str = Field("", description="Path of ffmpeg; empty: the one that comes with Limber")
    keep_originals: bool = Field(
        True, description="Keep uploaded files; `false` removes each a day after its video became ready"
    )
    speech_python: str = Field(
        "",
        description="A Python that has faster-whisper, to write captions from speech; empty: no such button",
    )
    encode_concurrency: int = Field(1, ge=1, description="Videos that one worker encodes at the same time")

    search_language: Language = Field(
        "english",
        description="Whose endings the search knows, in English: `german`; after a change `limber search rebuild`",
    )

    @field_validator("base_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("LIMBER_BASE_URL must look like https://example.com")
        return value.rstrip("/")

    @field_validator("edge_key")
    @classmethod
    def _edge(cls, value: str) -> str:
        # Filled into nginx's configuration as it is.
        if value and not re.fullmatch(r"[A-Za-z0-9_-]{32,200}", value):
            raise ValueError("LIMBER_EDGE_KEY wants 32 to 200 letters and digits, or nothing")
        return value

    @model_validator(mode="after")
    def _strong_outside_demo(self) -> Self:
        if self.env == "demo":
            if not self.is_loopback or self.host not in LOOPBACK:
                raise ValueError("LIMBER_ENV=demo only runs on loopback: its sign-ins are public knowledge")
            return self
        if urlsplit(self.base_url).scheme != "https" and not self.is_loopback:
            raise ValueError("LIMBER_BASE_URL must start with https:// outside this machine")
        for name in ("media_keys", "link_keys"):
            try:
                KeyRing.parse(getattr(self, name))
            except WeakKey as weak:
                raise ValueError(f"LIMBER_{name.upper()}: {weak}") from weak
        if self.media_keys == self.link_keys:
            raise ValueError("LIMBER_MEDIA_KEYS and LIMBER_LINK_KEYS must be different secrets")
        if "*" in self.trusted_proxies:
            raise ValueError(
                "LIMBER_TRUSTED_PROXIES=* would let every caller choose the address that guesses are counted for;"
                " name the proxy's address or network"
            )
        self._check_cdn()
        if self.stripe_secret_key and not self.stripe_webhook_secrets:
            raise ValueError("STRIPE_WEBHOOK_SECRET is needed beside STRIPE_SECRET_KEY")
        return self

    def _check_cdn(self) -> None:
        if not self.cdn:
            return
        if not self.storage_url.startswith("s3://"):
            raise ValueError("LIMBER_CDN needs LIMBER_STORAGE_URL=s3://…: a CDN fetches films from there")
        parts = urlsplit(self.cdn_url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
            raise ValueError("LIMBER_CDN_URL must look like https://films.example.com")
        if self.cdn != "s3" and not self.cdn_key:
            raise ValueError("LIMBER_CDN_KEY is needed to sign the CDN's addresses")
        if self.cdn == "cloudfront" and not self.cdn_key_id:
            raise ValueError("LIMBER_CDN_KEY_ID is needed: CloudFront looks for the public key by it")

    @property
    def cdn_origin(self) -> str:
        """What pages may fetch from beside the site; empty without a CDN."""
        return self.cdn_url.rstrip("/") if self.cdn else ""

    @property
    def is_demo(self) -> bool:
        return self.env == "demo"

    @property
    def is_loopback(self) -> bool:
        return (urlsplit(self.base_url).hostname or "") in LOOPBACK

    @property
    def secure_cookies(self) -> bool:
        """True on https; plain loopback cannot carry a `Secure` cookie in every browser."""
        return urlsplit(self.base_url).scheme == "https"

    @property
    def media_ring(self) -> KeyRing:
        return KeyRing.parse(self.media_keys)

    @property
    def link_ring(self) -> KeyRing:
        return KeyRing.parse(self.link_keys)

    @property
    def media_dir(self) -> Path:
        return self.data_dir / "media"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.stripe_webhook_secrets.split(",") if part.strip())

    @property
    def buying_enabled(self) -> bool:
        return bool(self.stripe_secret_key and self.webhook_secrets)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read once.

    Raises:
        pydantic.ValidationError: when a value is missing, weak or contradicts another.
    """
    return Settings()  # values come from the environment
