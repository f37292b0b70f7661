"""What a model takes and gives; imports no numpy, for the download reads models' configurations too."""

from __future__ import annotations

from dataclasses import dataclass, field

from scheduler.model.tensors import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One output that the client asks for."""

    name: str
    binary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a model takes and gives."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    most_rows: int = 65536
    every_output: tuple[Wanted, ...] = field(init=False, repr=False, compare=False)
    """What a request is answered with that asks for nothing in particular."""

    def __post_init__(self) -> None:
        wanted = tuple(Wanted(name=tensor.name) for tensor in self.outputs)
        object.__setattr__(self, "every_output", wanted)

    def output(self, name: str) -> Tensor:
        return next(tensor for tensor in self.outputs if tensor.name == name)
