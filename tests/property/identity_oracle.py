"""The plain definition of identity (`identity.md` sections 2 and 3): all links sorted, one pass.

Written to be obviously right and independent of the incremental code. It works on
rules and events as in section 2, with values normalized already and times in seconds.
"""

import re
from itertools import combinations


def oracle(rules, events, max_links=1000):
    """Anchor "type:value" -> members "type:value", sorted."""
    kinds = rules["identifiers"]
    priority = {kind["type"]: place for place, kind in enumerate(kinds)}
    rule = {kind["type"]: kind for kind in kinds}

    def alive(one):
        return one[0] in priority and not is_blocked(rules, *one)

    # 1. distinct events by id; no retracted ones, none dead by consent, no blocked values
    distinct = {}
    for event in events:
        distinct.setdefault(event["id"], event)
    retractions = [event for event in distinct.values() if event.get("op") == "retract"]
    retracted = {name for event in retractions for name in event["events"]}
    counting = [event for event in distinct.values() if event["id"] not in retracted]
    observations = []
    for event in counting:
        if "op" not in event and not is_dead(rules, counting, event):
            seen = {one for one in identifiers(event) if alive(one)}
            observations.append((event["ts"], event.get("source", ""), seen))

    first = {}
    for ts, _, seen in observations:
        for one in seen:
            first[one] = min(ts, first.get(one, ts))

    # 2. statements: of each pair the newest; never wins on equal time
    def by_priority(pair):
        return sorted(pair, key=lambda one: (priority[one[0]], one[1]))

    newest = {}
    for event in counting:
        pair = frozenset(one for one in identifiers(event) if alive(one))
        if event.get("op") in ("same", "never") and len(pair) == 2:
            said = (event["ts"], event["op"] == "never")
            newest[pair] = max(said, newest.get(pair, said))
    nevers = {pair for pair, (_, never) in newest.items() if never}
    sames = [(-ts, *by_priority(pair)) for pair, (ts, never) in newest.items() if not never]
    sames.sort(key=lambda same: (same[0], priority[same[1][0]], same[1], priority[same[2][0]], same[2]))

    everybody = set(first).union(*newest) if newest else set(first)
    group = {one: frozenset([one]) for one in everybody}

    def join(one, other, allowed):
        union = group[one] | group[other]
        if allowed(union) and not any(pair <= union for pair in nevers):
            for member in union:
                group[member] = union

    for _, one, other in sames:
        join(one, other, lambda union: True)
    contracted = dict(group)

    # 3. links, each as good as its best observation
    best = {}
    for ts, source, seen in observations:
        if len(seen) > rules.get("max_ids_per_event", 20):
            continue
        if any(
            kind.get("limit") == 1
            and "window" not in kind
            and sum(type_ == kind["type"] for type_, _ in seen) > 1
            for kind in kinds
        ):
            continue
        for pair in combinations(seen, 2):
            strong, weak = by_priority(pair)
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

    types = {one: counting_types(one) for one in first}
    links = sorted(
        (order, strong, weak)
        for (strong, weak), order in best.items()
        if weak[0] in types[strong] and strong[0] in types[weak]
    )

    # 5. and 6. one pass
    def within_limits(union):
        classes = {contracted[one] for one in union}
        for kind in kinds:
            if "limit" not in kind:
                continue
            holding = [[one for one in class_ if one[0] == kind["type"]] for class_ in classes]
            holding = [members for members in holding if members]
            if "window" not in kind:
                if len(holding) > kind["limit"]:
                    return False
                continue
            times = sorted(
                min(first[one] for one in members if one in first)
                for members in holding
                if any(one in first for one in members)
            )
            for earlier, later in zip(times, times[kind["limit"] :], strict=False):
                if later - earlier < kind["window"]:
                    return False
        return True

    for _, strong, weak in links:
        if group[strong] != group[weak]:
            join(strong, weak, within_limits)

    # 7. anchors
    result = {}
    for members in set(group.values()):
        seen = [one for one in members if one in first]
        if seen:
            anchor = min(seen, key=lambda one: (priority[one[0]], first[one], one[1]))
            result[":".join(anchor)] = sorted(":".join(one) for one in seen)
    return result


def identifiers(event):
    for type_, values in event.get("ids", {}).items():
        for value in values if isinstance(values, list) else [values]:
            yield type_, value


def is_dead(rules, events, observation):
    """Whether consent for one of its identifiers is withdrawn, for the purpose of this view."""
    for one in identifiers(observation):
        said = [
            (event["ts"], event["op"])
            for event in events
            if event.get("op") in ("withdraw", "grant")
            and one in identifiers(event)
            and (not event.get("purposes") or rules.get("purpose", "") in event["purposes"])
        ]
        withdrawn = [ts for ts, op in said if op == "withdraw"]
        if withdrawn:
            last = max(withdrawn)
            granted = any(op == "grant" and last < ts <= observation["ts"] for ts, op in said)
            if observation["ts"] <= last or not granted:
                return True
    return False


def is_blocked(rules, type_, value):
    for entry in rules.get("blocked", []):
        if entry.get("type", "*") in ("*", type_):
            if "value" in entry and entry["value"].lower() == value.lower():
                return True
            if "regex" in entry and re.fullmatch(entry["regex"], value):
                return True
    return False
