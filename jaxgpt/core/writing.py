"""Writing files so that a reader, or a crash, finds the old or the new one whole."""

import errno
import os
import threading
from pathlib import Path


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file, whole or not at all; text in UTF-8.

    What UTF-8 has no form for, such as half a pair of surrogates, is escaped.

    Raises:
      OSError: if it cannot be written, in one line that names it; the old file stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise unwritten(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def unwritten(path: Path, error: OSError) -> OSError:
    """What to raise where a file could not be written: the system's own error often lacks its name."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return OSError(f"{path} cannot be written ({error.strerror or error})" + "; make room" * full)
