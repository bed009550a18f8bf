"""Which joints below a hand are its fingers."""

from __future__ import annotations

from rigs.recognition.limbs import Named

FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")
JOINTS = 3  # of a finger


def fingers(named: Named, hand: int, side: str) -> dict[str, int]:
    """Return the roles of the fingers below a hand, as far as names tell them."""
    chains: dict[str, list[int]] = {}
    numbered = _first_number(named, hand)
    worded = any(named.labels[j].finger in FINGERS for j in named.tree.below(hand))
    for joint in named.tree.below(hand):
        label = named.labels[joint]
        if label.other or label.twisting or label.following:
            continue
        finger = label.finger
        if finger == "#" and label.numbers and not worded:
            at = int(label.numbers[0][0]) - numbered
            finger = FINGERS[at] if 0 <= at < len(FINGERS) else ""
        if finger in FINGERS:
            chains.setdefault(finger, []).append(joint)
    roles = {}
    for finger in FINGERS:
        for k, joint in enumerate(_bending(named, finger, chains.get(finger, [])), start=1):
            roles[f"{side}Hand{finger}{k}"] = joint
    return roles


def _first_number(named: Named, hand: int) -> int:
    """Whether fingers that have numbers are counted from 0 or 1."""
    numbers = [named.labels[j].numbers for j in named.tree.below(hand) if named.labels[j].finger == "#"]
    return 0 if any(n and n[0][0] == "0" for n in numbers) else 1


def _bending(named: Named, finger: str, chain: list[int]) -> list[int]:
    """The three joints that bend: without what is in the palm, and without an end that a fourth one is."""
    chain = _one_line(named, chain)
    if finger != "Thumb" or len(chain) > JOINTS:
        chain = [j for j in chain if not named.labels[j].metacarpal] or chain
    if len(chain) > JOINTS and _in_the_palm(named, chain):
        chain = chain[1:]
    return chain[:JOINTS]


def _one_line(named: Named, chain: list[int]) -> list[int]:
    """The longest line of joints, hanging one from another, among those of a finger."""
    lines = [
        [*(above for above in named.tree.above(joint)[::-1] if above in chain), joint] for joint in chain
    ]
    return max(lines, key=len, default=[])


def _in_the_palm(named: Named, chain: list[int]) -> bool:
    """Whether the first of a finger's joints has no number, or 0, where the next ones count from 1."""
    first, second = (named.labels[j].numbers for j in chain[:2])
    return bool(second) and int(second[-1]) == 1 and (len(first) < len(second) or int(first[-1]) == 0)
