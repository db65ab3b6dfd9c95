from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.core.reasons import in_words
from convoscope.data.decode import read_image
from convoscope.data.types import LeftOut


@pytest.mark.parametrize(
    "number",
    [
        *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG),
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EADDRINUSE),
    ],
)
def test_what_the_system_often_says_is_told_in_spanish(number: int) -> None:
    said = os.strerror(number)
    with using_language("es"):
        assert in_words(said) != said
    with using_language("en"):
        assert in_words(said) == said


def test_what_is_not_known_stays() -> None:
    with using_language("es"):
        assert in_words("Level 3 halted") == "Level 3 halted"


def test_errors_speak_the_language_of_who_reads_them_throughout(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        read_image(tmp_path / "nowhere.png")
    with using_language("es"):
        assert "no existe el archivo o la carpeta" in str(caught.value)
        damaged = LeftOut("a.png", "damaged", "image file is truncated (12 bytes not processed)")
        assert damaged.reason == "dañado o incompleto (el archivo de imagen está incompleto)"
    with using_language("en"):
        assert "No such file or directory" in str(caught.value)
