"""The three aliases for plain dictionaries. Anything else that travels is a frozen dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]
"""IR as parsed but unchecked: one Kubernetes-style document."""
Values: TypeAlias = Mapping[str, Any]
"""Helm values."""
Manifest: TypeAlias = Mapping[str, Any]
"""A Kubernetes object as a dictionary."""
