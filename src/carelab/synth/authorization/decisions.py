"""What payers decide, how long they take, who appeals, and when the service is done."""

import numpy as np
import pandas as pd

from carelab.synth.areas import Core
from carelab.synth.authorization.policies import NECESSITY, by_policy, failing, policies, services
from carelab.synth.people import expit, logit
from carelab.synth.streams import stream

DUE_HOURS = {True: 72, False: 7 * 24}  # urgent or not


def make_decisions(core: Core, asked: pd.DataFrame) -> pd.DataFrame:
    """One row a request, same index. Times are local and NaT where the extract came first.

    Columns: due; decided; denied (true outcome of the first decision, even of one still to come); reason (empty if
    approved); p_denied; correct (approved or denied, by policy, network and completeness); correct_reason;
    appealed_at, appeal_decided, overturned; approved_from, approved_until (local days); performed (local);
    lines: quantities of the items, billed total in US dollars and their sum.
    """
    rates, number, seed, n = core.world.authorization, core.panel.number, core.world.seed, len(asked)
    extract = pd.Timestamp(core.world.clock.extract_at)

    def u(name: str) -> np.ndarray:
        return stream(seed, f"authorization/{name}", number).random(n)

    found = pd.DataFrame(index=asked.index)
    hours = asked["urgent"].map(DUE_HOURS)
    found["due"] = asked["requested"] + pd.to_timedelta(hours, unit="h")
    found["p_denied"], found["correct_reason"] = _odds(core, asked)
    found["correct"] = np.where(found["correct_reason"].eq(""), "approved", "denied")
    found["denied"] = u("decision") < found["p_denied"]
    wrongly = np.where(
        asked["note_kind"].isin(["note-only", "missing"]) & (u("careless") < 0.8), "missing-info",
        np.where(u("wrong-reason") < 0.7, NECESSITY, "missing-info"),
    )  # fmt: skip
    right = found["correct_reason"].to_numpy()
    found["reason"] = np.where(found["denied"], np.where(right == "", wrongly, right), "")

    sd = asked["payer"].map(rates.hours_sd).to_numpy()
    median = np.where(asked["urgent"], rates.hours_median_urgent, rates.hours_median_standard)
    spread = stream(seed, "authorization/hours", number).normal(0, 1, n)
    took = median * np.exp(sd * spread)
    decided = asked["requested"] + pd.to_timedelta(np.round(took * 60), unit="min")
    found["decided"] = decided.where(decided <= extract)

    wrong = found["denied"] & found["correct"].eq("approved")
    appeals = found["denied"] & (u("appeal") < np.where(wrong, rates.appeal_if_wrong, rates.appeal_if_right))
    appeals &= found["reason"].ne("duplicate")
    appealed = decided + pd.to_timedelta(np.round((3 + 42 * u("appeal-day")) * 1440), unit="min")
    found["appealed_at"] = appealed.where(appeals & (appealed <= extract))
    answered = appealed + pd.to_timedelta(np.round((5 + 30 * u("appeal-answer")) * 1440), unit="min")
    found["appeal_decided"] = answered.where(found["appealed_at"].notna() & (answered <= extract))
    upheld = u("overturn") >= np.where(wrong, rates.overturned_if_wrong, rates.overturned_if_right)
    found["overturned"] = found["appeal_decided"].notna() & ~upheld

    approved = found["decided"].where(~found["denied"]).fillna(found["appeal_decided"].where(found["overturned"]))
    months = [policies()[key].months for key in zip(asked["payer"], asked["service"], strict=True)]
    found["approved_from"] = approved.dt.normalize()
    lasts = pd.to_timedelta(np.round(30.44 * np.array(months)) - 1, unit="D")
    found["approved_until"] = found["approved_from"] + lasts
    late = u("late") < rates.performed_late_share
    days = np.where(late, lasts.days + 1 + np.floor(45 * u("days")), np.floor(2 + 38 * u("days") ** 2))
    day = found["approved_from"] + pd.to_timedelta(days, unit="D")
    performed = day + pd.to_timedelta(np.round(480 + 510 * u("service-minute")), unit="min")
    # Nobody is seen on a Sunday; a day later is still early enough, and late enough where it has to be.
    performed += pd.to_timedelta((performed.dt.weekday == 6).astype(int), unit="D")
    lives = ~(performed > asked["person"].map(core.people["deceased_on"]))
    found["performed"] = performed.where(lives & (u("performed") < rates.performed_share) & (performed <= extract))
    return pd.concat([found, _amounts(asked, u("units"), u("keyed"), u("slip"), rates.total_not_sum_share)], axis=1)


def _odds(core: Core, asked: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """True probability of a denial, and the reason for which the request ought to be denied (empty if it ought not)."""
    rates = core.world.authorization
    failed = np.full(len(asked), "", dtype=object)
    for policy, version, rows, values in by_policy(asked, asked["version"].to_numpy()):
        fails = failing(policy, version, values)
        for criterion in reversed(policy.criteria(version)):
            failed[rows] = np.where(fails[criterion.topic], criterion.reason, failed[rows])
    missing = asked["note_kind"].eq("missing").to_numpy()
    outside, copy = ~asked["in_network"].to_numpy(), asked["duplicate_of"].ge(0).to_numpy()
    reason = np.select(
        [copy, outside, failed != "", missing], ["duplicate", "out-of-network", failed, "missing-info"], ""
    )
    odds = logit(rates.wrong_denial) + np.log(asked["payer"].map(rates.wrong_denial_payer_odds).to_numpy(dtype=float))
    odds = odds + np.log(rates.wrong_denial_note_only_odds) * asked["note_kind"].eq("note-only").to_numpy()
    odds = odds + np.log(rates.wrong_denial_contradicted_odds) * asked["note_kind"].eq("contradicts").to_numpy()
    ought = [copy, outside, failed != "", missing]
    chances = [rates.duplicate_denied, rates.out_of_network_denied, rates.unmet_denied, rates.missing_denied]
    return np.select(ought, chances, expit(odds)), reason


def _amounts(
    asked: pd.DataFrame, u_units: np.ndarray, u_keyed: np.ndarray, u_slip: np.ndarray, share: float
) -> pd.DataFrame:
    """Quantities, the sum of the items and the total as keyed in, which in a few requests is another one."""
    quantities, sums, totals = [], [], []
    for service, units, keyed, slip in zip(asked["service"], u_units, u_keyed, u_slip, strict=True):
        items = services()[service].items
        quantity = [item.least + int(units * (item.most - item.least + 1)) for item in items]
        nets = [round(item.price * count, 2) for item, count in zip(items, quantity, strict=True)]
        total = whole = round(sum(nets), 2)
        if keyed < share:  # an accessory forgotten, a unit price taken for the line, or digits swapped
            slips = [nets[0] if len(nets) > 1 else _swapped(whole), _swapped(whole), round(whole + items[0].price, 2)]
            total = slips[int(slip * len(slips))]
        quantities.append(quantity)
        sums.append(whole)
        totals.append(total)
    return pd.DataFrame({"quantities": quantities, "sum": sums, "total": totals}, index=asked.index)


def _swapped(amount: float) -> float:
    """An amount with its first two unlike digits swapped."""
    digits = f"{amount:.2f}"
    for at in range(len(digits) - 4):
        if digits[at] != digits[at + 1]:
            return float(digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :])
    return amount + 9.0
