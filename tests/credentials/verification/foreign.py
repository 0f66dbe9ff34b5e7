"""A foreign issuer: signs credentials by pyld and cryptography alone, not by our own code."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from pyld import jsonld

from mooc_microcred.credentials.verification import own

V2 = "https://www.w3.org/ns/credentials/v2"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = ALPHABET[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _load(address, _options):
    found = own.bundled_context(address)
    assert found is not None, address
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": address,
        "document": json.loads(json.dumps(found, default=dict)),
    }


def canonical(document: dict[str, Any]) -> str:
    """Return the canonical form by pyld as it is, without any of our own checks."""
    return jsonld.normalize(
        document, {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": _load}
    )


class ForeignIssuer:
    """An issuer with a key of its own, known by did:key unless it is given another name."""

    def __init__(self, seed: int = 7, did: str = ""):
        self.private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.multikey = "z" + base58(b"\xed\x01" + self.private.public_key().public_bytes_raw())
        self.did = did or f"did:key:{self.multikey}"
        self.method = f"{self.did}#{self.multikey}"

    def credential(self, **changes: Any) -> dict[str, Any]:
        """Return an Open Badges 3.0 credential that is not signed yet."""
        document = {
            "@context": [V2, OB],
            "id": "urn:uuid:6c3a8f0e-5e59-4d5c-b4b5-9a86f8a2c001",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "ภาษาอังกฤษสำหรับชาวเรือ",
            "issuer": {"id": self.did, "type": ["Profile"], "name": "มหาวิทยาลัยตัวอย่าง"},
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {
                "type": ["AchievementSubject"],
                "identifier": [
                    {
                        "type": "IdentityObject",
                        "hashed": True,
                        "identityHash": "sha256$" + hashlib.sha256(b"nok@example.ac.thsalt").hexdigest(),
                        "identityType": "emailAddress",
                        "salt": "salt",
                    }
                ],
                "creditsEarned": 3.5,
                "achievement": {
                    "id": "https://badges.example.ac.th/achievements/1",
                    "type": ["Achievement"],
                    "name": "ภาษาอังกฤษสำหรับชาวเรือ",
                    "description": "อ่านและพูดในสะพานเดินเรือ",
                    "criteria": {"narrative": "สอบผ่าน ๖๐ คะแนน"},
                    "resultDescription": [
                        {
                            "id": "urn:uuid:6c3a8f0e-5e59-4d5c-b4b5-9a86f8a2c002",
                            "type": ["ResultDescription"],
                            "name": "คะแนนสอบ",
                            "resultType": "RawScore",
                        }
                    ],
                },
                "result": [
                    {
                        "type": ["Result"],
                        "resultDescription": "urn:uuid:6c3a8f0e-5e59-4d5c-b4b5-9a86f8a2c002",
                        "value": "61",
                    }
                ],
            },
        }
        document.update(changes)
        return {name: value for name, value in document.items() if value is not None}

    def sign(self, document: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Return the document with a proof (W3C eddsa-rdfc-2022, section 3.2)."""
        proof = {
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "created": "2026-01-02T00:00:00Z",
            "verificationMethod": self.method,
            "proofPurpose": "assertionMethod",
        }
        proof.update(options)
        parts = [canonical({"@context": document["@context"], **proof}), canonical(document)]
        data = b"".join(hashlib.sha256(part.encode()).digest() for part in parts)
        proof["proofValue"] = "z" + base58(self.private.sign(data))
        return {**document, "proof": proof}

    def token(self, document: dict[str, Any], *, header: dict | None = None, **claims: Any) -> str:
        """Return the credential as a JWT signed by the Ed25519 key."""
        head = {"alg": "EdDSA", "typ": "JWT", "kid": self.method, **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        body = {**document, "iss": self.did, "jti": document["id"], "nbf": 1767225600, **claims}
        signed = f"{_part(head)}.{_part(body)}"
        return f"{signed}.{base64url(self.private.sign(signed.encode()))}"


def _part(value: Any) -> str:
    return base64url(json.dumps(value, ensure_ascii=False).encode())


def rsa_token(private: rsa.RSAPrivateKey, head: dict, body: dict) -> str:
    signed = f"{_part({'alg': 'RS256', **head})}.{_part(body)}"
    signature = private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{base64url(signature)}"


def p256_token(private: ec.EllipticCurvePrivateKey, head: dict, body: dict) -> str:
    signed = f"{_part({'alg': 'ES256', **head})}.{_part(body)}"
    halves = decode_dss_signature(private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{base64url(b''.join(half.to_bytes(32, 'big') for half in halves))}"


def rsa_jwk(public: rsa.RSAPublicKey) -> dict[str, str]:
    numbers = public.public_numbers()
    return {
        "kty": "RSA",
        "n": base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
        "e": base64url(numbers.e.to_bytes(3, "big")),
    }


def p256_jwk(public: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = public.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": base64url(numbers.x.to_bytes(32, "big")),
        "y": base64url(numbers.y.to_bytes(32, "big")),
    }
