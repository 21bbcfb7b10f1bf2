"""The headers of the API in OpenAPI."""

from typing import Literal

from drf_spectacular.utils import OpenApiParameter

_IN_HEADER: Literal["header"] = "header"


def _asked(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, _IN_HEADER, description=description)


def _answered(name: str, description: str, *statuses: int) -> OpenApiParameter:
    return OpenApiParameter(name, str, _IN_HEADER, description=description, response=list(statuses))


_SAYING = (200, 201, 202, 304, 400, 403, 404, 406, 409, 410, 412, 415, 422, 429)
_RATE = (
    _answered(
        "RateLimit", 'What is left of the rate: "default";r=requests;t=seconds until it is whole again.', *_SAYING
    ),
    _answered("RateLimit-Policy", 'The rate: "default";q=requests;w=in so many seconds.', *_SAYING),
)
_ETAG = _answered("ETag", "Names what was answered: send it in If-None-Match, of a record in If-Match.", 200, 201, 304)
BY_METHOD: dict[str, tuple[OpenApiParameter, ...]] = {
    "GET": (_asked("If-None-Match", "The ETag of what you have: 304 where it is still so."), _ETAG, *_RATE),
    "POST": (
        _asked(
            "Idempotency-Key", "A key of your own, 1 to 255 characters: sent again within 24 hours, it is done once."
        ),
        _ETAG,
        *_RATE,
    ),
    "PATCH": (
        _asked(
            "If-Match",
            "The ETag of what you read, in place of `version`: 412 where it is not this record as it stands.",
        ),
        _ETAG,
        *_RATE,
    ),
}
