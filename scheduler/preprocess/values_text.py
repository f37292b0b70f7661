"""Values as text: one form for one value, read alike by PyYAML and by Helm."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from scheduler.model.types import Values

_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_BREAKS: Final = re.compile("[\r\x85\u2028\u2029]")
"""Line ends for YAML 1.1 and not for 1.2; inside a block they would change."""
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (PyYAML's signature)
        return True


def _string(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Quoted unless it is a plain word: YAML 1.1 and 1.2 disagree about what `1e3`, `0o17`, `on` and `~` are."""
    if "\n" in text and _BREAKS.search(text) is None:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    is_plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')


_Dumper.add_multi_representer(str, _string)
_Dumper.add_representer(str, _string)


def to_yaml(values: Values) -> str:
    """`values` with sorted keys, without aliases or anchors; equal values give equal text."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=10**6, default_flow_style=False)


def from_yaml(text: str) -> Values:
    """The values that `to_yaml` wrote."""
    loaded = yaml.load(text, Loader=yaml.CSafeLoader)
    if not isinstance(loaded, dict):
        raise TypeError("Values are a map")
    return loaded
