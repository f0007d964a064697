import json
from xml.etree import ElementTree as ET

import pytest

from cigri.demo import onsager, sweep
from cigri.demo.gather import Measurement, gather, mean_curve, write_csv
from cigri.demo.picture import picture

SVG = "{http://www.w3.org/2000/svg}"


def parsed(measurements):
    return ET.fromstring(picture(measurements))  # noqa: S314 - our own text


def measurement(temperature, seed):
    return Measurement(
        temperature=temperature,
        seed=seed,
        energy=onsager.energy(temperature),
        magnetisation=onsager.magnetisation(temperature),
        susceptibility=float(seed),
        specific_heat=1.0,
    )


@pytest.fixture
def measurements():
    return [measurement(t, seed) for t in (1.5, 2.25, 3.0) for seed in (1, 2)]


def test_results_are_gathered_in_order_whatever_order_they_came_in(tmp_path):
    for temperature, seed in [(2.5, 2), (1.5, 1), (2.5, 1)]:
        values = {"temperature": temperature, "seed": seed, "energy": -1.0, "magnetisation": 0.5}
        values |= {"susceptibility": 1.0, "specific_heat": 2.0}
        (tmp_path / f"T{temperature:.3f}-s{seed}.json").write_text(json.dumps(values))

    found = gather(tmp_path)

    assert [(one.temperature, one.seed) for one in found] == [(1.5, 1), (2.5, 1), (2.5, 2)]


def test_the_table_has_a_row_for_each_task(tmp_path, measurements):
    write_csv(measurements, tmp_path / "x.csv")

    head, *rows = (tmp_path / "x.csv").read_text().splitlines()
    assert head == "temperature,seed,energy,magnetisation,susceptibility,specific_heat"
    assert len(rows) == len(measurements)


def test_the_mean_is_taken_over_seeds(measurements):
    assert mean_curve(measurements, "susceptibility") == [(1.5, 1.5), (2.25, 1.5), (3.0, 1.5)]


def test_the_picture_shows_every_task_in_every_panel_inside_its_frame(measurements):
    root = parsed(measurements)

    groups = root.findall(f"{SVG}g")
    assert [len(group) for group in groups] == [len(measurements)] * 3
    width, height = float(root.get("width")), float(root.get("height"))
    for circle in root.iter(f"{SVG}circle"):
        assert 0 < float(circle.get("cx")) < width
        assert 0 < float(circle.get("cy")) < height


def test_the_picture_names_its_axes_and_the_critical_temperature(measurements):
    root = parsed(measurements)

    words = {"".join(text.itertext()) for text in root.iter(f"{SVG}text")}
    assert {"temperature T / (J/k)", "energy per spin / J", "Tc = 2.269"} <= words
    assert root.find(f"{SVG}title").text.startswith("Two-dimensional Ising model")


def test_the_sweep_is_a_campaign_of_different_tasks_some_of_them_unlucky(tmp_path):
    jdl = sweep.description(tmp_path / "with blank", 10)

    lines = jdl["params"]
    assert len(set(lines)) == len(lines) in range(100, 201)
    assert 0 < sum("--fail-once" in line for line in lines) < 10
