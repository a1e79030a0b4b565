"""Errors as OpenAI's clients read them: `{"error": {message, type, param, code}}`."""

from __future__ import annotations

from starlette.responses import JSONResponse

from vall_e.errors import ConfigError, VallEError

INVALID, AUTHENTICATION, LIMIT, INTERNAL = (
    "invalid_request_error",
    "authentication_error",
    "rate_limit_error",
    "server_error",
)


class RequestError(VallEError):
    """A request that is refused, with its HTTP status."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status: int = 400,
        kind: str = INVALID,
        param: str | None = None,
        code: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status, self.kind, self.param, self.code = status, kind, param, code
        self.retry_after = retry_after


def error_response(exc: VallEError) -> JSONResponse:
    """The answer for an error of the request, with its hint."""
    refused = exc if isinstance(exc, RequestError) else RequestError(exc.message, hint=exc.hint)
    if not isinstance(exc, (RequestError, ConfigError)):
        refused.code = type(exc).__name__
    message = f"{exc.message} ({exc.hint})" if exc.hint else exc.message
    body = {
        "message": message,
        "type": refused.kind,
        "param": refused.param,
        "code": refused.code,
    }
    headers = {} if refused.retry_after is None else {"Retry-After": str(refused.retry_after)}
    return JSONResponse({"error": body}, refused.status, headers)
