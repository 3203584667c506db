"""The plain definition of identity (`identity.md` section 3): all links sorted, one pass.

Written to be obviously right and independent of the incremental code. It works on
rules and events as in section 2, with values normalized already.
"""

import re
from itertools import combinations


def oracle(rules, events, max_links=1000):
    """Anchor "type:value" -> members "type:value", sorted."""
    kinds = rules["identifiers"]
    priority = {kind["type"]: place for place, kind in enumerate(kinds)}
    rule = {kind["type"]: kind for kind in kinds}

    # 1. distinct events; listed types; no blocked values
    distinct = {}
    for event in events:
        distinct.setdefault(event["id"], event)
    observations = []
    for event in distinct.values():
        seen = set()
        for type_, values in event["ids"].items():
            for value in values if isinstance(values, list) else [values]:
                if type_ in priority and not is_blocked(rules, type_, value):
                    seen.add((type_, value))
        observations.append((event["ts"], event.get("source", ""), seen))

    first = {}
    for ts, _, seen in observations:
        for one in seen:
            first[one] = min(ts, first.get(one, ts))

    # 3. links, each as good as its best observation
    best = {}
    for ts, source, seen in observations:
        if len(seen) > rules.get("max_ids_per_event", 20):
            continue
        if any(
            kind.get("limit") == 1 and sum(type_ == kind["type"] for type_, _ in seen) > 1 for kind in kinds
        ):
            continue
        for pair in combinations(seen, 2):
            strong, weak = sorted(pair, key=lambda one: (priority[one[0]], one[1]))
            oldest = rule[weak[0]].get("conflict", "newest") == "oldest"
            order = (
                priority[weak[0]],
                -rules.get("strength", {}).get(source, 0),
                ts if oldest else -ts,
                priority[strong[0]],
                strong[1],
                weak[1],
            )
            best[strong, weak] = min(order, best.get((strong, weak), order))

    # 4. hubs, and the cap
    seen_with = {one: set() for one in first}
    for strong, weak in best:
        seen_with[strong].add(weak)
        seen_with[weak].add(strong)

    def counting_types(one):
        own = priority[one[0]]
        most = rule[one[0]].get("max_owners")
        for kind in kinds[:own]:
            owners = sum(type_ == kind["type"] for type_, _ in seen_with[one])
            if kind.get("limit") == 1 and most is not None and owners > most:
                return set()
        counting, total = set(), 0
        for kind in kinds:
            total += sum(type_ == kind["type"] for type_, _ in seen_with[one])
            if total > max_links:
                break
            counting.add(kind["type"])
        return counting

    counting = {one: counting_types(one) for one in first}
    links = sorted(
        (order, strong, weak)
        for (strong, weak), order in best.items()
        if weak[0] in counting[strong] and strong[0] in counting[weak]
    )

    # 5. and 6. one pass
    group = {one: frozenset([one]) for one in first}
    for _, strong, weak in links:
        union = group[strong] | group[weak]
        limits = [(kind["type"], kind["limit"]) for kind in kinds if kind.get("limit")]
        if all(sum(type_ == limited for type_, _ in union) <= limit for limited, limit in limits):
            for one in union:
                group[one] = union

    # 7. anchors
    result = {}
    for members in set(group.values()):
        anchor = min(members, key=lambda one: (priority[one[0]], first[one], one[1]))
        result[":".join(anchor)] = sorted(":".join(one) for one in members)
    return result


def is_blocked(rules, type_, value):
    for entry in rules.get("blocked", []):
        if entry.get("type", "*") in ("*", type_):
            if "value" in entry and entry["value"].lower() == value.lower():
                return True
            if "regex" in entry and re.fullmatch(entry["regex"], value):
                return True
    return False
