"""The routes by which a browser adds, lists and removes documents of its own. None of them gives a document out."""

from __future__ import annotations

import functools
import tempfile
import time
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from index.documents import SUFFIXES
from ui import logs
from ui.desk import Desk
from ui.sessions import Sessions
from ui.uploads import RefusedError, Uploads, clean_name

__all__ = ["token_of", "upload_routes"]

_OWN_HEADER = "x-qa"  # a page of another site cannot set it without being allowed to, which it is not


def token_of(sessions: Sessions, cookies: dict[str, str]) -> str | None:
    """The session token among a request's cookies. The guard has taken out any that is not valid."""
    return cookies.get(sessions.cookie)


def upload_routes(uploads: Uploads, sessions: Sessions, desk: Desk) -> list[Route]:
    """GET and POST /documents, DELETE /documents/{id}, POST /documents/left."""

    def refused(message: str, status: int) -> JSONResponse:
        logs.event("upload-refused", status=status)
        return JSONResponse({"message": message}, status)

    def session_of(request: Request) -> str:
        token = token_of(sessions, request.cookies)
        if token is None:
            raise RefusedError("This page is from an earlier visit; please reload it.", 403)
        if request.method != "GET" and _OWN_HEADER not in request.headers:
            raise RefusedError("Documents are added from the page only.", 403)
        return token

    async def listed(request: Request) -> Response:
        token = token_of(sessions, request.cookies)
        if token is not None:
            uploads.seen(token, request.query_params.get("tab", ""))
        return JSONResponse(listing(token), headers={"cache-control": "no-store"})

    def listing(token: str | None) -> dict[str, Any]:
        shelf = uploads.shelf(token)
        return {
            "documents": [] if shelf is None else [upload.to_json() for upload in shelf.uploads()],
            "formats": sorted(SUFFIXES),
            "megabytes": uploads.options.upload_megabytes,
            "files": uploads.options.upload_files,
        }

    async def added(request: Request) -> Response:
        try:
            token = session_of(request)
            name = clean_name(request.query_params.get("name", ""))
            most = uploads.options.upload_megabytes * 1_000_000
            if int(request.headers.get("content-length", "0") or 0) > most:
                raise _too_large(uploads)
            shelf = uploads.opened(token, name)
            uploads.seen(token, request.query_params.get("tab", ""))
            path = await _received(request, shelf.folder, most, uploads)
            try:
                # as many may have been on their way at once
                uploads.opened(token, name)
                upload = await desk.aside(functools.partial(uploads.received, shelf, name, path))
            finally:
                path.unlink(missing_ok=True)
        except RefusedError as error:
            return refused(str(error), error.status)
        except ValueError:
            return refused("The request makes no sense (its length).", 400)
        except ClientDisconnect:
            return Response(status_code=499)
        except OSError as error:
            logs.event("upload-error", error=type(error).__name__, number=error.errno)
            return refused("it could not be kept here; please try again later", 507)
        return JSONResponse(upload.to_json(), 201)

    async def removed(request: Request) -> Response:
        try:
            shelf = uploads.shelf(session_of(request))
        except RefusedError as error:
            return refused(str(error), error.status)
        found = shelf is not None and await desk.aside(functools.partial(shelf.remove, request.path_params["id"]))
        return Response(status_code=204 if found else 404)

    async def left(request: Request) -> Response:
        token = token_of(sessions, request.cookies)
        if token is not None and request.headers.get("sec-fetch-site", "same-origin") == "same-origin":
            uploads.left(token, request.query_params.get("tab", ""))
        return Response(status_code=204)

    return [
        Route("/documents", listed, methods=["GET"]),
        Route("/documents", added, methods=["POST"]),
        Route("/documents/left", left, methods=["POST"]),
        Route("/documents/{id}", removed, methods=["DELETE"]),
    ]


async def _received(request: Request, folder: Path, most: int, uploads: Uploads) -> Path:
    """The request's body as a file in `folder`, which is private."""
    end = time.monotonic() + uploads.options.upload_seconds
    with tempfile.NamedTemporaryFile(dir=folder, prefix="incoming-", delete=False) as file:
        path, size = Path(file.name), 0
        try:
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise _too_large(uploads)
                if time.monotonic() > end:
                    raise RefusedError("it took too long to arrive; please try again", 408)
                file.write(chunk)
            if size == 0:
                raise RefusedError("it is empty")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return path


def _too_large(uploads: Uploads) -> RefusedError:
    return RefusedError(f"larger than {uploads.options.upload_megabytes} MB, the most that is taken", 413)
