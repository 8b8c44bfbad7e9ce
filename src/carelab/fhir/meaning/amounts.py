"""Rules about money: do the parts of a claim make its total?"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from carelab.fhir.meaning.rules import View, rule

_CENT = Decimal("0.01")


def _money(node: Any) -> tuple[Decimal, str | None] | None:
    """Amount and currency."""
    value = node.get("value") if isinstance(node, dict) else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return Decimal(str(value)), node.get("currency")
    except InvalidOperation:
        return None


def _total(view: View) -> tuple[Decimal, str | None] | None:
    """What was charged: a claim's total, or the total that an explanation of benefit calls submitted."""
    total = view.resource.get("total")
    if view.kind == "Claim":
        return _money(total)
    for part in total if isinstance(total, list) else []:
        category = part.get("category") if isinstance(part, dict) else None
        coding = (category or {}).get("coding") or [{}]
        if isinstance(coding[0], dict) and coding[0].get("code") == "submitted":
            return _money(part.get("amount"))
    return None


@rule("total-not-sum")
def total_not_sum(view: View) -> Iterator[tuple[str, str]]:
    """A claim's total is the sum of its items' net amounts.

    Only like is compared with like: where an item has no net amount (Synthea's visits have none), the total may be more
    than the rest, never less; items in several currencies, and items that the payer added, are not compared.
    """
    items = view.resource.get("item")
    if (
        view.kind not in ("Claim", "ExplanationOfBenefit")
        or not isinstance(items, list)
        or view.resource.get("addItem")
    ):
        return
    total = _total(view)
    nets = [_money(item.get("net")) for item in items if isinstance(item, dict)]
    known = [net for net in nets if net is not None]
    if total is None or not known or {currency for _, currency in known} != {total[1]}:
        return
    charged, parts = total[0], sum((amount for amount, _ in known), Decimal(0))
    if len(known) == len(nets) and abs(charged - parts) >= _CENT:
        yield f"{view.kind}.total", f"is {charged}, the items make {parts}; find the item that is wrong or missing"
    elif charged + _CENT <= parts and all(amount >= 0 for amount, _ in known):
        yield f"{view.kind}.total", f"is {charged}, less than those items that have an amount ({parts})"


@rule("net-not-product", "warning")
def net_not_product(view: View) -> Iterator[tuple[str, str]]:
    """An item's net amount is quantity times unit price times factor, where all that is given."""
    for path, node in view.nodes:
        if "unitPrice" not in node:
            continue
        net, price, quantity = _money(node.get("net")), _money(node.get("unitPrice")), _money(node.get("quantity"))
        if net is None or price is None or net[1] != price[1]:
            continue
        factor = node.get("factor", 1)
        times = (quantity[0] if quantity else 1) * Decimal(str(factor)) if isinstance(factor, int | float) else None
        if times is not None and abs(net[0] - price[0] * times) > _CENT:
            yield (
                f"{path}.net",
                f"is {net[0]}, and quantity times price is {price[0] * times}; one of the three is wrong",
            )
