"""Dataclasses that generate their methods at first use, and patterns compiled at first use: both save cold-start time.

`dataclasses.dataclass` compiles six methods a class, about 0.4 ms. A Lambda imports some hundred classes at each cold start
and makes instances of a few; the rest would be a quarter of its start (`make bench`, "how long a Lambda imports").

Use it as the standard library's, without `slots`: slots need a new class, and other modules hold this one by then. `fields`,
`replace`, `is_dataclass`, `inspect.signature` and inheritance see no difference. `pattern` is `re.compile` put off in the
same way: a start uses few of some fifty regular expressions, and each takes 0.1 to 0.5 ms.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from re import compile

    pattern = compile
else:

    class pattern:  # noqa: N801
        """As `re.compile`, later."""

        def __init__(self, text: str, flags: int = 0) -> None:
            self.pattern, self._flags = text, flags

        def __getattr__(self, name: str) -> Any:
            found = getattr(re.compile(self.pattern, self._flags), name)
            setattr(self, name, found)
            return found

    def dataclass(shape: type | None = None, /, **options: bool) -> type | Callable[[type], type]:
        """As `dataclasses.dataclass`, later. Raises TypeError for `slots`."""
        if options.get("slots"):
            raise TypeError("A deferred dataclass can't have slots; leave slots=True away.")

        def deferred(shape: type) -> type:
            for name in _DEFERRED:
                setattr(shape, name, _Awaited(shape, name, options))
            return shape

        return deferred if shape is None else deferred(shape)


_DEFERRED = ("__init__", "__dataclass_fields__")
_writing = RLock()


class _Awaited:
    """Stands for a method that `dataclasses` generates, and has it generated at first use."""

    def __init__(self, shape: type, name: str, options: dict[str, bool]) -> None:
        self._shape, self._name, self._options = shape, name, options

    def __get__(self, instance: object | None, owner: type) -> Any:
        with _writing:
            if vars(self._shape)[self._name] is self:
                _write(self._shape, self._options)
        written = vars(self._shape)[self._name]
        return written.__get__(instance, owner) if hasattr(written, "__get__") else written


def _write(shape: type, options: dict[str, bool]) -> None:
    """Make a dataclass of the class. `__init__` is replaced last and never missing, for the sake of other threads.

    `dataclasses` replaces no existing `__init__`, so a twin class without one lends its own.
    """
    own = {name: value for name, value in vars(shape).items() if name not in (*_DEFERRED, "__dict__", "__weakref__")}
    twin: Any = type(shape)(shape.__name__, shape.__bases__, own)
    dataclasses.dataclass(**options | {"eq": False, "repr": False, "order": False})(twin)
    shape.__doc__ = twin.__doc__
    dataclasses.dataclass(**options | {"init": False})(shape)
    type.__setattr__(shape, "__init__", twin.__init__)
