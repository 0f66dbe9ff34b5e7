"""A learner's own decentralised identifier."""

from __future__ import annotations

from rest_framework import serializers

from mooc_microcred.core.rest_api.views import ApiView, operation
from mooc_microcred.credentials import learner_dids


class DidSerializer(serializers.Serializer):
    """Under which identifier later credentials are issued, and what to sign in order to change it."""

    did = serializers.CharField(allow_blank=True, help_text="empty: the salted hash of the e-mail address")
    challenge = serializers.CharField(help_text="the nonce of the next proof; good for ten minutes")


class DidProofBody(serializers.Serializer):
    """A proof of control."""

    proof = serializers.CharField(
        max_length=8191,
        help_text="JWT by the did:key's own key: header alg EdDSA and kid, payload iss (the DID), aud (the "
        "platform's public address) and nonce (the challenge)",
    )


class MyDidView(ApiView):
    """The learner's DID."""

    @operation("read_my_did", "My DID, and a challenge to prove another one", tag="my", answer=DidSerializer)
    def get(self):
        """The challenge is the learner's own: nobody else can use it."""
        return _shown(self.learner_id)

    @operation(
        "use_my_did",
        "Have my later credentials issued to my DID",
        tag="my",
        body=DidProofBody,
        answer=DidSerializer,
    )
    def post(self, body):
        """Credentials that are there stay as they are."""
        learner_dids.use_did(learner_id=self.learner_id, proof=body["proof"])
        return _shown(self.learner_id)


class ForgetDidView(ApiView):
    """The end of a learner's DID."""

    @operation(
        "forget_my_did",
        "Have my later credentials name my e-mail's hash again",
        tag="my",
        answer=DidSerializer,
    )
    def post(self):
        """Credentials that are there stay as they are."""
        learner_dids.forget_did(learner_id=self.learner_id)
        return _shown(self.learner_id)


def _shown(learner_id: int) -> dict[str, str]:
    return {
        "did": learner_dids.did_of(learner_id=learner_id),
        "challenge": learner_dids.did_challenge(learner_id=learner_id),
    }
