"""The rules that an audit proposes: the present ones with its changes, and a remark beside each change."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import msgspec

from cauce.identity.audit_model import Block, Finding, ListType, SetField


class Proposal(NamedTuple):
    """Proposed rules as a document for ``read_rules``; a remark by list and index for each changed entry.

    ``withheld``: values that are not shown for the purpose, and therefore not proposed to be blocked.
    """

    rules: dict[str, Any]
    remarks: Mapping[tuple[str, int], str]
    withheld: int

    @property
    def changes(self) -> int:
        """How many entries differ from the present rules."""
        return len(self.remarks)


def propose(rules: Mapping[str, Any], findings: Iterable[Finding], *, shows_values: bool) -> Proposal:
    """Apply the changes of findings, those that touch most people first, to a copy of some rules."""
    draft = _Draft(rules)
    for finding in findings:
        for change in finding.changes:
            match change:
                case ListType():
                    draft.list_type(change, finding)
                case SetField():
                    draft.set_field(change, finding)
                case Block() if change.personal and not shows_values:
                    draft.withheld += 1
                case Block():
                    draft.block(change, finding)
    return draft.done()


class _Draft:
    """Rules in the making; entries are told apart by identity until their places are settled."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self._rules = deepcopy(dict(rules))
        self._types: list[dict[str, Any]] = list(self._rules.get("identifiers", []))
        self._blocked: list[dict[str, Any]] = list(self._rules.get("blocked", []))
        self._said: dict[int, list[str]] = {}
        self.withheld = 0

    def list_type(self, change: ListType, finding: Finding) -> None:
        entry = _plain(change.rule)
        names = [one["type"] for one in self._types]
        place = names.index(change.after) + 1 if change.after in names else len(names)
        self._types.insert(place, entry)
        self._say(entry, f"new: {finding.says}")

    def set_field(self, change: SetField, finding: Finding) -> None:
        entry = next(one for one in self._types if one["type"] == change.type)
        former = entry.get(change.field)
        value = msgspec.to_builtins(change.value)
        if former is not None and change.field == "max_owners" and former <= value:
            return
        entry[change.field] = value
        was = "none" if former is None else former
        self._say(entry, f"{change.field} {value} (was {was}): {finding.says}")

    def block(self, change: Block, finding: Finding) -> None:
        entry = _plain(change.blocked)
        if entry not in self._blocked:
            self._blocked.append(entry)
            self._say(entry, f"{finding.kind}, {finding.people} people touched: {finding.says}")

    def _say(self, entry: dict[str, Any], remark: str) -> None:
        self._said.setdefault(id(entry), []).append(remark)

    def done(self) -> Proposal:
        lists = {"identifiers": self._types, "blocked": self._blocked}
        remarks = {
            (name, index): "\n".join(self._said[id(entry)])
            for name, entries in lists.items()
            for index, entry in enumerate(entries)
            if id(entry) in self._said
        }
        return Proposal(
            self._rules | {name: found for name, found in lists.items() if found}, remarks, self.withheld
        )


def _plain(entry: msgspec.Struct) -> dict[str, Any]:
    """An entry as it is written: without the fields that have their default, save the type."""
    built: dict[str, Any] = msgspec.to_builtins(entry)
    defaults = dict(
        zip(
            entry.__struct_fields__[-len(entry.__struct_defaults__) :], entry.__struct_defaults__, strict=True
        )
    )
    return {
        name: value
        for name, value in built.items()
        if name == "type" or value != msgspec.to_builtins(defaults.get(name, msgspec.UNSET))
    }
