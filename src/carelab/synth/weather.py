"""Daily weather of each three-digit ZIP area: what happened, and what was forecast the evening before."""

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from carelab.synth.config import World
from carelab.synth.streams import stream


def zip_areas(world: World) -> list[str]:
    """The three-digit ZIP areas with a site, sorted."""
    return sorted({site.zip3 for site in world.sites})


def make_weather(world: World) -> pd.DataFrame:
    """One row per ZIP area and local day, history and planning horizon, sorted by both.

    Columns: zip3, date, temp_c (daily mean), snow_cm, rain_mm (NaN after the extract), and the forecast of each
    (suffix `_forecast`). Areas share the region's weather and add a little of their own.
    """
    rates = world.weather
    days = pd.date_range(world.clock.history_start, world.last_day, freq="D")
    n = len(days)
    season = rates.mean_temp_c + rates.swing_temp_c * np.cos(2 * np.pi * (days.dayofyear.to_numpy() - 200) / 365.25)
    shared = stream(world.seed, "weather", "region")
    innovation = shared.normal(0, rates.noise_temp_c * np.sqrt(1 - rates.persistence**2), n)
    anomaly = lfilter([1.0], [1.0, -rates.persistence], innovation)
    wet = shared.random(n) < rates.wet_day_share
    amount = np.where(wet, shared.gamma(0.8, rates.mean_mm / 0.8, n), 0.0)

    areas = []
    for north, zip3 in enumerate(zip_areas(world)):
        own = stream(world.seed, "weather", zip3)
        temp = season + anomaly - 0.6 * north + own.normal(0, 1.0, n)
        water = amount * np.exp(own.normal(0, 0.4, n)) * (own.random(n) > 0.1)
        missed = own.random(n) < rates.forecast_miss_share
        false_alarm = np.where(own.random(n) < rates.forecast_false_share, own.gamma(1.0, 3.0, n), 0.0)
        water_ahead = np.where(missed, 0.0, water * np.exp(own.normal(0, rates.forecast_error_log, n))) + false_alarm
        temp_ahead = temp + own.normal(0, rates.forecast_error_temp_c, n)
        area = pd.DataFrame({"zip3": zip3, "date": days})
        for suffix, t, mm in (("", temp, water), ("_forecast", temp_ahead, water_ahead)):
            area[f"temp_c{suffix}"] = t.round(1)
            area[f"snow_cm{suffix}"] = np.where(t < 0, mm, 0.0).round(1)  # 1 mm of water is about 1 cm of snow
            area[f"rain_mm{suffix}"] = np.where(t < 0, 0.0, mm).round(1)
        areas.append(area)
    weather = pd.concat(areas, ignore_index=True)
    weather.loc[weather["date"] > pd.Timestamp(world.clock.extract_at), ["temp_c", "snow_cm", "rain_mm"]] = np.nan
    return weather


def snowfall(weather: pd.DataFrame, zip3: pd.Series, day: pd.Series) -> np.ndarray:
    """Observed snow in cm for each (area, local day); 0 where the day has not come yet. Shape (n,)."""
    known = weather.set_index(["zip3", "date"])["snow_cm"].fillna(0.0)
    return known.reindex(pd.MultiIndex.from_arrays([zip3, day])).fillna(0.0).to_numpy()
