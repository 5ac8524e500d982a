# The module that maturin generates from khufu.h.
from typing import Any

ffi: Any
lib: Any
