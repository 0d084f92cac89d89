"""Every switch about receipts and incoming messages, at every setting, does what it says."""

import pytest

from tests.sandbox.proving import Proof
from tests.sandbox.receipt_proofs import PROOFS
from tests.sandbox.running import sandbox


def observed(proof: Proof, **more: str) -> object:
    with sandbox(**dict(proof.options) | more) as running:
        return proof.probe(running)


@pytest.mark.parametrize("name", sorted(PROOFS))
def test_switch_does_what_it_says(name: str):
    proof = PROOFS[name]
    seen = {choice: observed(proof, switch=f"{name}={choice}") for choice in proof.seen}
    assert seen == proof.seen
    assert len({repr(one) for one in seen.values()}) == len(seen)
    assert observed(proof) == next(iter(proof.seen.values()))
