"""A hook of MkDocs for links from docs/ to files of the repository that the site does not have.

`[errors.py](../vall_e/errors.py)` becomes "errors.py (`vall_e/errors.py`)".
"""

import re
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Any

LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    folder = PurePosixPath("docs", page.file.src_uri).parent

    def name(match: re.Match[str]) -> str:
        path = normpath(str(folder / match[2]))
        if path.startswith("docs/"):
            return match[0]
        return f"`{path}`" if match[1] in path else f"{match[1]} (`{path}`)"

    return LINK.sub(name, markdown)
