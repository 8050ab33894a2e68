"""Uploads that can be resumed, at /api/v1/uploads, by the tus protocol 1.0: https://tus.io/protocols/resumable-upload.

Each has a file of its bytes, whose size is the offset, and one that says what they are; together they outlive the
server. Once the last byte is there the file is queued for ingestion.
"""

import base64
import binascii
import errno
import fcntl
import hashlib
import io
import json
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import gevent
from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import (
    ClientDisconnected,
    Conflict,
    Gone,
    Locked,
    NotFound,
    RequestEntityTooLarge,
    RequestTimeout,
    UnsupportedMediaType,
)

from tripsmith.ingestion.ingestion import IngestionConflictError
from tripsmith.ingestion.submission import BadFileError, Options, check_options
from tripsmith.web.current import current
from tripsmith.web.parameters import OPTION_NAMES, read_options
from tripsmith.web.problems import problem
from tripsmith.web.uploads.upload import STALE_SECONDS, allow_large_body, label, submit_file

VERSION = "1.0.0"
INGESTION_HEADER = "Tripsmith-Ingestion"
CONTENT_HEADER = "Tripsmith-Content"  # "new", or "known" where the warehouse had it

_EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
# What clients say of a file by themselves: tus-js-client, Uppy, the mobile ones. The first two are its name.
_LABELS = ("filename", "name", "filetype", "type", "relativePath", "size", "lastModified")
# By which a client that does not ask what is spoken here may send parts of a file as if they were whole.
_FOREIGN_EXTENSIONS = {"Upload-Concat": "concatenation", "Upload-Defer-Length": "creation-defer-length"}
_MEDIA_TYPE = "application/offset+octet-stream"
_DIGESTS = ("sha1", "sha256", "md5")
_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_BLOCK_BYTES = 1 << 18
# A client that comes back may find its connection of before still open here; that one is cut, and ends within this.
_LOCK_SECONDS = 10
_CHECKSUM_MISMATCH = 460

pages = Blueprint("tus", __name__, url_prefix="/api/v1/uploads")

# The connections on which bytes come in, by upload.
_receiving: dict[str, socket.socket | None] = {}


@dataclass(frozen=True, slots=True)
class _Resumable:
    """What is known of an upload before its bytes are there, and, once they are, which ingestion they have become."""

    id: str
    length: int
    file_name: str
    options: Options
    ingestion: str | None = None
    is_known: bool = False
    metadata: str = ""

    @property
    def data(self) -> Path:
        return _folder() / f"{self.id}.part"

    @property
    def description(self) -> Path:
        return _folder() / f"{self.id}.json"

    @property
    def offset(self) -> int:
        return self.length if self.ingestion is not None else self.data.stat().st_size

    def write(self) -> None:
        """Keep what is known. Raises OSError."""
        part = self.description.with_suffix(".new")
        part.write_text(json.dumps(asdict(self)))
        part.rename(self.description)

    def delete(self) -> None:
        """Forget the upload and its bytes."""
        for path in (self.data, self.description):
            path.unlink(missing_ok=True)


@pages.route("", methods=["OPTIONS"], provide_automatic_options=False)
def show_abilities() -> Response:
    """Tell what of the protocol is spoken here."""
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": _EXTENSIONS,
        "Tus-Max-Size": str(current().settings.max_upload_bytes),
        "Tus-Checksum-Algorithm": ",".join(_DIGESTS),
    }
    return Response(status=204, headers=headers)


@pages.post("")
def create() -> Response:
    """Begin an upload; `Upload-Metadata` may hold its filename and the options of an ingestion."""
    discard_stale(_folder())
    length = _size("Upload-Length")
    if length == 0:
        raise BadHeaderError("Upload-Length", "The file is empty; there must be a header and rows.")
    if length > current().settings.max_upload_bytes:
        allow_large_body()
        raise RequestEntityTooLarge
    metadata = _metadata(request.headers.get("Upload-Metadata", ""))
    options = read_options(metadata)
    check_options(options)  # rather now than when all of it is here
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    if length > shutil.disk_usage(_folder()).free:
        raise OSError(errno.ENOSPC, "the upload would not fit")
    name = label(metadata.get("filename") or metadata.get("name"))
    upload = _Resumable(
        secrets.token_urlsafe(16), length, name, options, metadata=request.headers.get("Upload-Metadata", "")
    )
    upload.data.touch(mode=0o600)
    upload.write()
    if request.mimetype == _MEDIA_TYPE:
        with _locked(upload.id) as begun:
            upload = _receive(begun, 0)
    return _state(upload, 201, Location=url_for("tus.change", upload_id=upload.id))


@pages.get("/<upload_id>")
def show(upload_id: str) -> Response:
    """Tell how much is here (HEAD), so that the client goes on from there."""
    with _locked(upload_id) as found:
        upload = _finish(found)
        headers = {"Upload-Length": str(upload.length), "Cache-Control": "no-store"}
        if upload.metadata:
            headers["Upload-Metadata"] = upload.metadata
        return _state(upload, 200, **headers)


@pages.route("/<upload_id>", methods=["PATCH", "DELETE", "POST"])
def change(upload_id: str) -> Response:
    """Take more bytes (PATCH), or forget the upload (DELETE); by POST where the way here lets no other method pass."""
    method = request.headers.get("X-HTTP-Method-Override", request.method).upper()
    if method == "DELETE":
        with _locked(upload_id) as upload:
            upload.delete()
        return Response(status=204)
    if method != "PATCH":
        return problem(
            405, f"An upload takes HEAD, PATCH and DELETE, not {method}.", headers={"Allow": "PATCH, DELETE"}
        )
    if request.mimetype != _MEDIA_TYPE:
        raise UnsupportedMediaType(
            f"A body of type {request.mimetype or 'none'} is not taken; it must be {_MEDIA_TYPE}."
        )
    offset = _size("Upload-Offset")
    with _locked(upload_id) as upload:
        if offset != upload.offset:
            raise Conflict(f"The upload is at {upload.offset}, not at {offset}; HEAD tells where to go on.")
        return _state(_receive(upload, offset), 204)


@pages.before_request
def check_version() -> Response | None:
    """Refuse other versions of the protocol than ours."""
    if request.method == "OPTIONS" or request.headers.get("Tus-Resumable") == VERSION:
        return None
    return problem(
        412, f"Tus-Resumable must be {VERSION}.", parameter="Tus-Resumable", headers={"Tus-Version": VERSION}
    )


@pages.before_request
def check_extensions() -> None:
    """Refuse a request that relies on an extension of the protocol that is not spoken here."""
    for header, extension in _FOREIGN_EXTENSIONS.items():
        if header in request.headers:
            raise BadHeaderError(
                header,
                f"{header} is not understood here, as the extension {extension} is not offered; send the file"
                " as one upload whose Upload-Length is known.",
            )


@pages.after_request
def add_version(response: Response) -> Response:
    """Say in every answer which version of the protocol it is of."""
    response.headers["Tus-Resumable"] = VERSION
    return response


def discard_stale(folder: Path) -> None:
    """Delete uploads that nobody has sent anything to for a day, and what is known of those that arrived."""
    touched: dict[str, float] = {}
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):
            touched[path.stem] = max(touched.get(path.stem, 0), path.stat().st_mtime)
    for upload_id, touched_at in touched.items():
        if touched_at < time.time() - STALE_SECONDS:
            for path in folder.glob(f"{upload_id}.*"):
                path.unlink(missing_ok=True)


def _receive(upload: _Resumable, offset: int) -> _Resumable:
    """Append this request's body; keep what came before a connection was cut. Queue the file if that was all of it."""
    if upload.ingestion is not None:
        return upload
    allow_large_body()
    wanted, algorithm = _checksum()
    digest = hashlib.new(algorithm, usedforsecurity=False)
    _receiving[upload.id] = request.environ.get("gunicorn.socket")
    try:
        with upload.data.open("ab", buffering=0) as file:
            room = upload.length - offset
            for block in _blocks(room):
                room -= len(block)
                if room < 0:
                    file.truncate(offset)
                    raise BadFileError(f"There are more bytes than the {upload.length} that the upload was to have.")
                _write_all(file, block)
                digest.update(block)
                gevent.sleep(0)  # a fast client never makes the socket wait, so nothing else would ever run
            if wanted is not None and wanted != digest.digest():
                file.truncate(offset)
                raise _ChecksumError
    finally:
        _receiving.pop(upload.id, None)
    return _finish(upload)


def _blocks(room: int) -> Iterator[bytes]:
    """Yield this request's body, of which one byte more than there is room for is enough.

    A body that stops short is no error here: the offset in the answer says what is kept, and where to go on.
    """
    with suppress(RequestTimeout, ClientDisconnected):
        while block := request.stream.read(min(_BLOCK_BYTES, room + 1)):
            room -= len(block)
            yield block


def _write_all(file: io.FileIO, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]


def _finish(upload: _Resumable) -> _Resumable:
    """Queue an upload whose last byte is here; one that cannot be taken is forgotten, one without a database waits."""
    if upload.ingestion is not None or upload.offset < upload.length:
        return upload
    # Under a name of its own, as the ingestion owns that from now on; a server that was killed may have come so far.
    path = _folder().parent / f"upload-{upload.id}.csv"
    if not path.exists():
        path.hardlink_to(upload.data)
    try:
        submission = submit_file(path, upload.file_name, upload.options)
    except (BadFileError, IngestionConflictError) as error:
        path.unlink(missing_ok=True)
        upload.delete()
        if isinstance(error, BadFileError):
            raise
        # Not 409: to a tus client that means an offset that is not right, and it would send everything again.
        raise BadFileError(str(error)) from error
    finished = replace(upload, ingestion=submission.ingestion.id, is_known=not submission.is_new)
    finished.write()
    if not submission.has_file:
        path.unlink(missing_ok=True)
    upload.data.unlink(missing_ok=True)
    return finished


class _ChecksumError(Exception):
    """The bytes of a request are not those that its checksum is of; they were dropped."""


@pages.errorhandler(_ChecksumError)
def describe_mismatch(_: _ChecksumError) -> Response:
    """Answer with the status that the protocol has for it."""
    detail = "The checksum does not fit the bytes that came; they were dropped, send them again."
    document = {"type": "about:blank", "title": "Checksum Mismatch", "status": _CHECKSUM_MISMATCH, "detail": detail}
    return Response(json.dumps(document) + "\n", _CHECKSUM_MISMATCH, content_type="application/problem+json")


@contextmanager
def _locked(upload_id: str) -> Iterator[_Resumable]:
    """Have an upload alone, also among other processes; a request of before that still waits for bytes is ended."""
    upload = _find(upload_id)
    try:
        file = upload.data.open("rb")
    except FileNotFoundError:
        yield _find(upload_id)  # it has arrived, and nothing changes it any more
        return
    with file:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                _cut(upload_id)
                if time.monotonic() > deadline:
                    raise Locked("Another request is sending to this upload; try again in a moment.") from None
                gevent.sleep(0.05)
        yield _find(upload_id)


def _cut(upload_id: str) -> None:
    """End the receiving of a request whose client has come back on another connection: it reads no more."""
    connection = _receiving.get(upload_id)
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RD)


def _find(upload_id: str) -> _Resumable:
    if not _ID.fullmatch(upload_id):
        raise NotFound
    try:
        known: dict[str, Any] = json.loads((_folder() / f"{upload_id}.json").read_text())
    except FileNotFoundError:
        raise Gone("There is no such upload, or not any more; begin a new one.") from None
    return _Resumable(**known | {"options": Options(**known["options"])})


def _state(upload: _Resumable, status: int, **headers: str) -> Response:
    headers["Upload-Offset"] = str(upload.offset)
    if upload.ingestion is not None:
        headers[INGESTION_HEADER] = upload.ingestion
        headers[CONTENT_HEADER] = "known" if upload.is_known else "new"
        headers["Content-Location"] = url_for("ingestions.show_ingestion", id=upload.ingestion)
    else:
        expires = upload.data.stat().st_mtime + STALE_SECONDS
        headers["Upload-Expires"] = format_datetime(datetime.fromtimestamp(expires, UTC), usegmt=True)
    return Response(status=status, headers=headers)


def _size(header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadHeaderError(header, f"{header} is {text!r}; it must be a number of bytes.")
    return int(text)


def _metadata(text: str) -> dict[str, str]:
    """Return what a header of pairs `key base64,key base64` says; keys that are not known here are refused."""
    found = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, _, value = pair.partition(" ")
        if key not in (*OPTION_NAMES, *_LABELS):
            known = ", ".join(sorted((*OPTION_NAMES, *_LABELS)))
            raise BadHeaderError(
                "Upload-Metadata", f"There is no {key!r} in Upload-Metadata here; there may be {known}."
            )
        if key in found:
            raise BadHeaderError("Upload-Metadata", f"{key} is given twice in Upload-Metadata; give it once.")
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise BadHeaderError("Upload-Metadata", f"{key} in Upload-Metadata is not base64 of UTF-8.") from None
    return found


def _checksum() -> tuple[bytes | None, str]:
    """Return the digest that this request's body is to have, and of which kind."""
    text = request.headers.get("Upload-Checksum")
    if text is None:
        return None, _DIGESTS[0]
    algorithm, _, value = text.partition(" ")
    if algorithm not in _DIGESTS:
        raise BadHeaderError("Upload-Checksum", f"{algorithm!r} is not a checksum known here: {', '.join(_DIGESTS)}.")
    try:
        return base64.b64decode(value, validate=True), algorithm
    except binascii.Error:
        raise BadHeaderError("Upload-Checksum", "The checksum is not base64.") from None


class BadHeaderError(BadFileError):
    """A header of the request is wrong; `parameter` names it."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


def _folder() -> Path:
    return current().settings.uploads_dir / "tus"
