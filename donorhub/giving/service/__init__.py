"""Verbs about gifts."""

from donorhub.giving.service.end import cancel_gift, end_gift, expire_holds, refund_gift
from donorhub.giving.service.settle import refresh_gift, settle_gift
from donorhub.giving.service.start import (
    GiftOver,
    Started,
    continue_gift,
    reduce_gift,
    start_gift,
    write_gift,
)

__all__ = [
    "GiftOver",
    "Started",
    "cancel_gift",
    "continue_gift",
    "end_gift",
    "expire_holds",
    "reduce_gift",
    "refresh_gift",
    "refund_gift",
    "settle_gift",
    "start_gift",
    "write_gift",
]
