"""What the installed stripe-python says about parameters and objects, at exactly its API version.

Parameters are checked with its TypedDicts (unknown, missing and mistyped names; not the members of
enums, which the SDK leaves open). Objects are checked with the annotations of its classes.
"""

from __future__ import annotations

import inspect
import re
import sys
import typing
from decimal import Decimal
from functools import cache
from typing import Any

import typing_extensions
from pydantic import ConfigDict, TypeAdapter, ValidationError
from stripe import params as stripe_params
from stripe._object_classes import get_object_class
from stripe.params import checkout as checkout_params

_T = typing.TypeVar("_T")

#: operation -> the TypedDict of its parameters
OPERATIONS: dict[str, Any] = {
    "POST /v1/checkout/sessions": checkout_params.SessionCreateParams,
    "GET /v1/checkout/sessions": checkout_params.SessionListParams,
    "GET /v1/checkout/sessions/{session}": checkout_params.SessionRetrieveParams,
    "POST /v1/checkout/sessions/{session}/expire": checkout_params.SessionExpireParams,
    "GET /v1/checkout/sessions/{session}/line_items": checkout_params.SessionListLineItemsParams,
    "GET /v1/payment_intents": stripe_params.PaymentIntentListParams,
    "GET /v1/payment_intents/{intent}": stripe_params.PaymentIntentRetrieveParams,
    "GET /v1/charges": stripe_params.ChargeListParams,
    "GET /v1/charges/{charge}": stripe_params.ChargeRetrieveParams,
    "GET /v1/balance_transactions": stripe_params.BalanceTransactionListParams,
    "GET /v1/balance_transactions/{id}": stripe_params.BalanceTransactionRetrieveParams,
    "POST /v1/refunds": stripe_params.RefundCreateParams,
    "GET /v1/refunds": stripe_params.RefundListParams,
    "GET /v1/refunds/{refund}": stripe_params.RefundRetrieveParams,
    "GET /v1/disputes": stripe_params.DisputeListParams,
    "GET /v1/disputes/{dispute}": stripe_params.DisputeRetrieveParams,
    "POST /v1/disputes/{dispute}": stripe_params.DisputeModifyParams,
    "POST /v1/disputes/{dispute}/close": stripe_params.DisputeCloseParams,
    "GET /v1/events": stripe_params.EventListParams,
    "GET /v1/events/{id}": stripe_params.EventRetrieveParams,
    "GET /v1/balance": stripe_params.BalanceRetrieveParams,
}


@cache
def _adapter(operation: str) -> TypeAdapter[Any]:
    wanted = OPERATIONS[operation]
    module: Any = sys.modules[wanted.__module__]
    mapping = dict[str, _T]
    module.UntypedStripeObject, module.StripeContext = mapping, str
    for declared in list(vars(module).values()):
        if isinstance(declared, type) and typing_extensions.is_typeddict(declared):
            declared.__pydantic_config__ = ConfigDict(extra="forbid")
    names = {
        **vars(typing),
        **vars(typing_extensions),
        **vars(module),
        "Decimal": Decimal,
        "StripeContext": str,
        "UntypedStripeObject": mapping,
    }
    adapter = TypeAdapter(wanted)
    adapter.rebuild(force=True, _types_namespace=names)
    return adapter


def params_problems(operation: str, params: dict[str, Any]) -> list[str]:
    """What the SDK's own types hold against these parameters."""
    try:
        _adapter(operation).validate_python(params)
    except ValidationError as refused:
        return [
            f"sdk: {'.'.join(map(str, error['loc']))}: {error['type']}"
            for error in refused.errors()
        ]
    return []


def object_problems(obj: dict[str, Any]) -> list[str]:
    """What the SDK's classes hold against an object: names, nulls, kinds of scalars."""
    if obj["object"] == "list":
        return [problem for member in obj["data"] for problem in object_problems(member)]
    declared = get_object_class("V1", obj["object"])
    return _problems(declared, obj, obj["object"])


def _problems(declared: Any, obj: dict[str, Any], at: str) -> list[str]:
    hints: dict[str, str] = {}
    for parent in reversed(declared.__mro__):
        hints |= inspect.get_annotations(parent)
    hints = {name: str(hint) for name, hint in hints.items() if not name.startswith("_")}
    inner = getattr(declared, "_inner_class_types", {})
    found = [f"sdk: {at}.{name}: unknown" for name in obj if name not in hints]
    found += [
        f"sdk: {at}.{name}: missing"
        for name, hint in hints.items()
        if name not in obj and not _is_optional(hint) and "ClassVar" not in hint
    ]
    for name in obj.keys() & hints.keys():
        value, where = obj[name], f"{at}.{name}"
        if not _fits(value, hints[name]):
            found.append(f"sdk: {where}: {value!r:.60} is not {hints[name]}")
        for member in value if isinstance(value, list) else [value]:
            if isinstance(member, dict) and name in inner:
                found += _problems(inner[name], member, where)
            elif isinstance(member, dict) and isinstance(member.get("object"), str):
                found += object_problems(member)
    return found


def _fits(value: object, hint: str) -> bool:
    if value is None:
        return _is_optional(hint) or "Any" in hint
    if isinstance(value, bool):
        return bool(re.search(r"\bbool\b|Literal\[(True|False)|\bAny\b", hint))
    if isinstance(value, int):
        return bool(re.search(r"\bint\b|\bfloat\b|\bAny\b", hint))
    if isinstance(value, str):
        return bool(re.search(r"\bstr\b|Literal|ForwardRef|Decimal|\bAny\b", hint))
    if isinstance(value, list):
        return bool(re.search(r"[Ll]ist\[|ListObject", hint))
    return True


def _is_optional(hint: str) -> bool:
    return "NoneType" in hint or "Optional[" in hint
