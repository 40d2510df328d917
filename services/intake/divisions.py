"""The districts (区县) in which applications are received, known by code and by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from services.intake.text import narrow


@dataclass(frozen=True)
class Districts:
    """Districts by code, with their Chinese names, as a policy pack lists them.

    ``Districts({"370303": "张店区"})``. Two districts of one name are refused (ValueError): a name must tell which.
    """

    names: Mapping[str, str]
    _codes: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        codes = {name: code for code, name in self.names.items()}
        if len(codes) != len(self.names):
            raise ValueError("two districts bear the same name")
        object.__setattr__(self, "names", MappingProxyType(dict(self.names)))
        object.__setattr__(self, "_codes", MappingProxyType(codes))

    def __contains__(self, code: object) -> bool:
        return code in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def find(self, text: str) -> str | None:
        """The code of a district given by its code or name; None if it is not one of them.

        The name may stand behind the province's or the city's (山东省淄博市张店区, 淄博高新区).
        """
        text = narrow(text)
        if text in self.names:
            return text
        bare = text.removeprefix("山东省").removeprefix("山东").removeprefix("淄博市").removeprefix("淄博")
        return self._codes.get(bare)
