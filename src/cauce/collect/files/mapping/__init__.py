"""Mappings: YAML in which a person says what a file holds and which events its lines make.

In comes a YAML file, out goes a ``Mapping`` in which every name is resolved, or
an error with file, line and the nearest valid name.
"""

from cauce.collect.files.mapping.model import Mapping
from cauce.collect.files.mapping.reading import load_mapping, read_mapping
from cauce.collect.files.mapping.schema import mapping_schema

__all__ = ["Mapping", "load_mapping", "mapping_schema", "read_mapping"]
