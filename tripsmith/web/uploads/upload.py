"""An upload: a file that a client sends, streamed into the uploads folder and gone again unless it is kept."""

import hashlib
import io
import tempfile
import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, cast

import gevent
from flask import Request, g, request
from gevent.util import wrap_errors
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.formparser import FormDataParser

from tripsmith.geometry.errors import BadQuestionError
from tripsmith.ingestion.submission import BadFileError, Options, Submission, submit
from tripsmith.names import clean
from tripsmith.web.current import current

# A file is called .part until it is whole, so that what a killed server left behind is known.
_PREFIX, _PARTIAL, _WHOLE = "upload-", ".part", ".csv"
_YIELD_BYTES = 1 << 20
STALE_SECONDS = 86_400
_NAME_MAX = 255


class _UploadFile(io.BufferedRandom):
    """A new file in the uploads folder; writing it takes its digest, and lets other requests have their turn."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path, "r+b"), buffer_size=_YIELD_BYTES)
        self.path = path
        self.sha256 = hashlib.sha256()
        self._unyielded = 0

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        written = super().write(data)
        self.sha256.update(data)
        self._unyielded += written
        if self._unyielded >= _YIELD_BYTES:
            self._unyielded = 0
            gevent.sleep(0)  # a fast client never makes the socket wait, so nothing else would ever run
        return written


class BrokenFormError(BadRequest):
    """A multipart body is not whole, or not a form at all."""

    description = (
        "The multipart form is not whole: its closing boundary, or the name of a part, is missing; send it again."
    )


class _WholeForms(FormDataParser):
    """Refuses a form that is cut short, which would otherwise be read as an empty one."""

    def parse(self, *arguments: Any, **options: Any) -> Any:
        self.silent = False
        try:
            return super().parse(*arguments, **options)
        except ValueError as error:
            raise BrokenFormError from error


class UploadRequest(Request):
    """A request whose file parts go straight to the uploads folder instead of memory and /tmp."""

    form_data_parser_class = _WholeForms

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return _new_file()


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has arrived whole, under the name that its sender gives it: a label, never a path.

    `fields` are those of the form that it came in.
    """

    path: Path
    file_name: str
    sha256: bytes
    fields: dict[str, str] = field(default_factory=dict)

    def submit(self, options: Options) -> Submission:
        """Queue the upload for ingestion; the ingestion owns the file if it needs it."""
        outcome = submit_file(self.path, self.file_name, options, self.sha256)
        if outcome.is_new:
            g.uploads.remove(self.path)
        return outcome


def submit_file(path: Path, file_name: str, options: Options, sha256: bytes | None = None) -> Submission:
    """Queue a file in the uploads folder for ingestion, which then owns it; its SHA-256 is taken if not given."""
    warehouse, owns_source = current().warehouse, not current().settings.keep_uploads
    settings = current().settings
    if options.max_rejected is None:
        options = replace(options, max_rejected=settings.max_rejected)
    if options.refuse_overlap is None:
        options = replace(options, refuse_overlap=settings.refuse_overlap)

    def send() -> Submission:
        with warehouse.connect() as connection:
            return submit(connection, path, file_name, options, owns_source=owns_source, sha256=sha256)

    # The digest of a large file takes seconds of computing: in a thread, so that others are served meanwhile.
    # Errors come back as values: gevent prints those that a thread raises, though they are expected here.
    outcome = gevent.get_hub().threadpool.apply(wrap_errors((Exception,), send))
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def allow_large_body() -> None:
    """Raise the limit of this request's body to that of uploads."""
    request.max_content_length = current().settings.max_upload_bytes


def receive(name: str | None, field_names: Collection[str]) -> Upload:
    """Return the file of this request: the part `file` of a multipart body, or a text/csv body called `name`.

    Fields of these names, and `name`, may be in the form beside the file. Raises BadFileError when there is no file,
    BadQuestionError for other fields, and HTTP errors for other kinds of body and broken ones.
    """
    allow_large_body()
    if request.mimetype == "multipart/form-data":
        _check_form((*field_names, "name"))
        return receive_part(name)
    if request.mimetype != "text/csv":
        raise UnsupportedMediaType(
            f"A body of type {request.mimetype or 'none'} is not taken; send multipart/form-data with the field `file`,"
            " or the CSV itself as text/csv."
        )
    with _new_file() as file:
        while block := request.stream.read(_YIELD_BYTES):
            file.write(block)
    return Upload(_whole(file), label(name), file.sha256.digest())


def _check_form(field_names: Collection[str]) -> None:
    """Raise BadQuestionError for a part of this request's form that would be ignored."""
    counts = {name: len(values) for form in (request.files, request.form) for name, values in form.lists()}
    for name, count in counts.items():
        if name != "file" and (name in request.files or name not in field_names):
            known = ", ".join(sorted(field_names))
            raise BadQuestionError(
                name,
                f"There is no field {name!r} here: the file is sent as `file`, and beside it there may be {known}.",
            )
        if count > 1:
            raise BadQuestionError(name, f"The form has {count} fields {name!r}; send one, and a request a file.")
        if name != "file" and name in request.args:
            raise BadQuestionError(name, f"{name} is given in the address and in the form; give it once.")
    if "file" in request.form:
        raise BadFileError("The field `file` is text; send it with a file name, as `curl -F file=@trips.csv` does.")


def receive_part(name: str | None = None) -> Upload:
    """Return the part `file` of this request's multipart body. Raises BadFileError when there is none."""
    part = request.files.get("file")
    if part is None:
        raise BadFileError("There is no field `file` in the form; send the CSV as that.")
    file = cast(_UploadFile, part.stream)
    shown = label(name or request.form.get("name") or part.filename)
    return Upload(_whole(file), shown, file.sha256.digest(), request.form.to_dict())


def label(name: str | None) -> str:
    """Return a file name fit to be shown: no folders, nothing unprintable, not endless."""
    last = clean((name or "").replace("\\", "/").rsplit("/", 1)[-1])
    return "".join(letter for letter in last if letter.isprintable()).strip()[:_NAME_MAX] or "upload.csv"


def discard_unsubmitted(_: BaseException | None = None) -> None:
    """Delete the files of this request that no ingestion owns; runs at the end of every request."""
    for path in g.pop("uploads", ()):
        path.unlink(missing_ok=True)


def discard_stale(folder: Path) -> None:
    """Delete what a server that was killed left half received."""
    for path in folder.glob(f"{_PREFIX}*{_PARTIAL}"):
        if path.stat().st_mtime < time.time() - STALE_SECONDS:
            path.unlink(missing_ok=True)


def _whole(file: _UploadFile) -> Path:
    file.close()
    path = file.path.rename(file.path.with_suffix(_WHOLE))
    g.uploads[g.uploads.index(file.path)] = path
    return path


def _new_file() -> _UploadFile:
    folder = current().settings.uploads_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_PARTIAL, dir=folder)
    io.FileIO(handle).close()
    path = Path(name)
    if "uploads" not in g:
        g.uploads = []
    g.uploads.append(path)
    return _UploadFile(path)
