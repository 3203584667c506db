"""Models as files: YAML or JSON, checked when read."""

from pathlib import Path
from typing import Any

import msgspec

from cauce.match.model import Model
from cauce.vocabulary.errors import BadSettings, InvalidInput


def write_model(model: Model, path: Path) -> None:
    """Write a model with its version; JSON where the name ends so, else YAML."""
    document = {"version": model.hash} | msgspec.to_builtins(model)
    if path.suffix.lower() == ".json":
        data = msgspec.json.format(msgspec.json.encode(document), indent=1)
    else:
        data = msgspec.yaml.encode(document)
    try:
        path.write_bytes(data + b"\n" if not data.endswith(b"\n") else data)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written.", hint=f"{error.strerror or error}.") from error


def read_model(path: Path) -> Model:
    """The model of a file; raises ``BadSettings`` with the place of what is wrong.

    A ``version`` that is not that of the rest is refused: the file was changed by
    hand. Without ``version`` a model is taken as written.
    """
    try:
        data = path.read_bytes()
        document: Any = (
            msgspec.json.decode(data) if path.suffix.lower() == ".json" else msgspec.yaml.decode(data)
        )
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read.", hint=f"{error.strerror or error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} holds no model.", hint=f"{error}.") from error
    if not isinstance(document, dict):
        raise BadSettings(f"{path} holds no model.", hint="Write one with --write-model.")
    pinned = document.pop("version", None)
    try:
        model = msgspec.convert(document, Model)
    except msgspec.ValidationError as error:
        raise BadSettings(f"{path} holds no model.", hint=f"{error}.") from error
    _check(model, path)
    if pinned is not None and pinned != model.hash:
        raise BadSettings(
            f"{path} was changed: its version is {model.hash}, not {pinned}.",
            hint="If the change is meant, take the line `version` out.",
        )
    return model


def _check(model: Model, path: Path) -> None:
    shares = [("same", model.same), ("related", model.related)]
    for comparison in model.comparisons:
        for level in comparison.levels:
            place = f"comparison {comparison.name}, level {level.label}"
            shares += [(f"{place}: {name}", getattr(level, name)) for name in ("m", "h", "u")]
    for place, share in shares:
        if not 0 < share < 1:
            raise BadSettings(
                f"{path}: {place} is {share}.", hint="A share lies between 0 and 1, both excluded."
            )
    if not model.comparisons:
        raise BadSettings(f"{path} compares nothing.", hint="Write a model with --write-model.")
    if model.candidate > model.join:
        raise BadSettings(
            f"{path}: candidate lies above join.", hint="Candidates weigh less than what is joined."
        )
