"""A process that holds keys, as a KMS does. It imports nothing of ours: the keys are its own."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def serve(connection) -> None:
    """Make keys and sign with them until told to stop."""
    held: dict[str, Ed25519PrivateKey] = {}
    while (asked := connection.recv()) is not None:
        if asked[0] == "create":
            reference = f"kms-{len(held) + 1}"
            held[reference] = Ed25519PrivateKey.generate()
            connection.send((reference, held[reference].public_key().public_bytes_raw()))
        else:
            connection.send(held[asked[1]].sign(asked[2]))
