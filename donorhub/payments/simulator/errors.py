"""Refusals, in the shape Stripe gives them."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """A call that ends in Stripe's error envelope."""

    def __init__(  # noqa: PLR0913 - the fields of the envelope
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind
        self.headers = headers or {}

    def envelope(self) -> Json:
        """The JSON body of the answer."""
        error: Json = {"type": self.kind, "message": self.message}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


def unknown_parameter(*, name: str) -> ApiError:
    """A parameter that the API, as far as it is simulated, does not have."""
    return ApiError(
        400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name
    )


def missing_parameter(*, name: str) -> ApiError:
    """A parameter that the call cannot do without."""
    return ApiError(400, f"Missing required param: {name}.", code="parameter_missing", param=name)


def bad_parameter(*, name: str, message: str, code: str | None = None) -> ApiError:
    """A parameter whose value is refused."""
    return ApiError(400, message, code=code, param=name)


def no_such(*, kind: str, object_id: str, param: str = "id", status: int = 404) -> ApiError:
    """An id that leads nowhere."""
    return ApiError(status, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)
