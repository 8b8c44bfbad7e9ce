"""What is asked for, and what each payer asks in return: services, facts and criteria, from the files beside this one."""

import operator
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

PREFIX = {"commercial": "lhp", "medicaid": "glc", "medicare": "isa"}
NECESSITY = "not-medically-necessary"
REASONS = {
    "missing-info": "Information is missing",
    NECESSITY: "Not medically necessary",
    "out-of-network": "Supplier is outside the network",
    "duplicate": "Duplicate of another request",
    "not-covered": "Not a covered benefit",
    "expired": "Test, examination or order is too old",
}
_COMPARE: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
}
_SECTIONS = {"commercial": "3.{}", "medicaid": "C{}", "medicare": "B.{}"}


@dataclass(frozen=True)
class Fact:
    """A fact that a case turns on. All values are floats: true is 1, a choice is its position in `choices`."""

    id: str
    label: str
    unit: str = ""
    quantiles: tuple[float, ...] = ()
    decimals: int = 0
    share: float | None = None
    choices: Mapping[str, float] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Kind of its values: number, truth or choice."""
        return "choice" if self.choices else "number" if self.share is None else "truth"

    def values(self, u: np.ndarray) -> np.ndarray:
        """Values at the quantiles `u` (0 to 1) of the cases that a clinician considers; the shape of `u`."""
        if self.choices:
            shares = np.cumsum(list(self.choices.values()))
            at = np.searchsorted(shares / shares[-1], u, side="right")
            return np.asarray(np.minimum(at, len(shares) - 1), dtype=float)
        if self.share is not None:
            return np.asarray(u < self.share, dtype=float)
        drawn = np.interp(u, np.linspace(0, 1, len(self.quantiles)), self.quantiles)
        return np.asarray(np.round(drawn, self.decimals))

    def coded(self, value: Any) -> float:
        """A value as the policies write it (number, true, name of a choice) as a float."""
        return float(list(self.choices).index(value)) if self.choices else float(value)

    def plain(self, value: float) -> float | bool | str:
        """A float back to number, truth or name of a choice."""
        if self.choices:
            return list(self.choices)[int(value)]
        return bool(value) if self.share is not None else round(float(value), self.decimals)

    def shown(self, value: float) -> str:
        """A value as a form shows it: `22.5`, `yes`, `type 1`."""
        found = self.plain(value)
        if isinstance(found, bool):
            return "yes" if found else "no"
        return found if isinstance(found, str) else f"{found:.{self.decimals}f}"


@dataclass(frozen=True)
class Item:
    """A line of a request. system: hcpcs, pcs or course; price in US dollars a unit; units from least to most."""

    code: str
    system: str
    name: str
    price: float
    least: int
    most: int


@dataclass(frozen=True)
class Service:
    """Something that payers want to be asked about first."""

    id: str
    name: str
    blurb: str
    facts: tuple[str, ...]
    ages: tuple[int, int]
    specialties: Mapping[str, float]
    items: tuple[Item, ...]
    diagnoses: Mapping[str, float]
    sex: str | None = None


@dataclass(frozen=True)
class Criterion:
    """One numbered section of a policy: what has to hold, and what a denial says where it does not.

    rule: alternatives, each a list of (fact, comparison, value); one alternative has to hold as a whole.
    """

    section: str
    topic: str
    title: str
    text: str
    reason: str
    rule: tuple[tuple[tuple[str, str, Any], ...], ...]

    @property
    def facts(self) -> list[str]:
        """The facts it looks at, in the order of the rule."""
        return list(dict.fromkeys(name for way in self.rule for name, _, _ in way))

    def holds(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether it holds, case by case; a missing fact (NaN) never satisfies a comparison."""
        known = facts()
        ways = [
            np.logical_and.reduce([_COMPARE[how](values[name], known[name].coded(value)) for name, how, value in way])
            for way in self.rule
        ]
        return np.asarray(np.logical_or.reduce(ways))


@dataclass(frozen=True)
class Policy:
    """A payer's policy on a service, with the criteria of each version."""

    payer: str
    service: str
    number: str
    months: int
    effective: date
    revised: date | None
    why: str
    versions: tuple[tuple[Criterion, ...], ...]

    def version_on(self, day: date) -> int:
        """The version in force on a day, 1 or 2."""
        return 2 if self.revised and day >= self.revised else 1

    def criteria(self, version: int) -> tuple[Criterion, ...]:
        """Criteria of a version (1 or 2), in the order of their sections."""
        return self.versions[version - 1]

    def document(self, version: int) -> str:
        """Id of the document that holds a version."""
        return f"{PREFIX[self.payer]}-{self.service}-v{version}"

    def in_force(self, version: int) -> tuple[date, date | None]:
        """First and last day of a version; None while it lasts."""
        if version == 2 and self.revised:
            return self.revised, None
        return self.effective, self.revised - timedelta(days=1) if self.revised else None


def read_toml(name: str) -> dict[str, Any]:
    """A data file of this area."""
    return tomllib.loads(files("carelab.synth.authorization").joinpath(name).read_text(encoding="utf-8"))


@lru_cache
def facts() -> dict[str, Fact]:
    """All facts by id, in the order of the file."""
    return {name: Fact(name, **entry) for name, entry in read_toml("services.toml")["fact"].items()}


@lru_cache
def services() -> dict[str, Service]:
    """All services by id, in the order of the file."""
    return {
        name: Service(name, **(entry | {"items": tuple(Item(*item) for item in entry["items"])}))
        for name, entry in read_toml("services.toml")["service"].items()
    }


@lru_cache
def diagnoses() -> dict[str, str]:
    """Names of the ICD-10-CM codes."""
    return dict(read_toml("services.toml")["diagnosis"])


def _criteria(payer: str, entries: list[dict[str, Any]], version: int) -> tuple[Criterion, ...]:
    """Criteria of a version. A topic keeps its section number in both, so that a citation can be compared."""
    topics = list(dict.fromkeys(entry["topic"] for entry in entries))
    found = []
    for entry in entries:
        if entry.get("version", version) != version:
            continue
        rule = tuple(tuple((name, how, value) for name, how, value in way) for way in entry["rule"])
        values = [value for way in rule for _, _, value in way]
        section = _SECTIONS[payer].format(topics.index(entry["topic"]) + 1)
        text = entry["text"].format(*values)
        reason = entry.get("reason", NECESSITY)
        found.append(Criterion(section, entry["topic"], entry["title"], text, reason, rule))
    return tuple(found)


@lru_cache
def policies() -> dict[tuple[str, str], Policy]:
    """All policies by payer and service, in the order of the file."""
    found = {}
    for entry in read_toml("policies.toml")["policy"]:
        revised = entry.get("revised")
        versions = tuple(
            _criteria(entry["payer"], entry["criteria"], version) for version in ((1, 2) if revised else (1,))
        )
        found[entry["payer"], entry["service"]] = Policy(
            entry["payer"], entry["service"], entry["number"], entry["months"], entry["effective"], revised,
            entry.get("why", ""), versions,
        )  # fmt: skip
    return found


def failing(policy: Policy, version: int, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Topic of each criterion of a version -> whether it fails, case by case."""
    return {criterion.topic: ~criterion.holds(values) for criterion in policy.criteria(version)}


def meets(policy: Policy, version: int, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Whether all criteria of a version hold, case by case."""
    return np.asarray(~np.logical_or.reduce(list(failing(policy, version, values).values())))


def by_policy(
    cases: pd.DataFrame, version: np.ndarray
) -> Iterator[tuple[Policy, int, np.ndarray, dict[str, np.ndarray]]]:
    """Cases that one version of a policy judges: policy, version, their positions, and their facts by name.

    cases: payer, service and one float column a fact; version: 1 or 2 for each, 1 where there is only one.
    """
    columns = {name: cases[name].to_numpy(dtype=float) for name in facts()}
    groups: Any = cases.groupby(["payer", "service", version], sort=True).indices
    for (payer, service, which), rows in groups.items():
        policy = policies()[payer, service]
        used = min(int(which), len(policy.versions))
        yield policy, used, rows, {name: columns[name][rows] for name in services()[service].facts}


def judge(cases: pd.DataFrame, version: pd.Series) -> pd.Series:
    """Whether each case meets its payer's criteria in the version given; index kept. See `by_policy`."""
    met = np.zeros(len(cases), dtype=bool)
    for policy, used, rows, values in by_policy(cases, version.to_numpy()):
        met[rows] = meets(policy, used, values)
    return pd.Series(met, index=cases.index)


def versions_on(cases: pd.DataFrame, days: pd.Series) -> pd.Series:
    """Version of each case's policy in force on a day. cases: payer and service; days: local times, same index."""
    revised = {key: policy.revised for key, policy in policies().items() if policy.revised}
    changed = pd.Series(
        [revised.get(key) for key in zip(cases["payer"], cases["service"], strict=True)], index=cases.index
    )
    return pd.Series(np.where(pd.to_datetime(changed) <= days.dt.normalize(), 2, 1), index=cases.index)
