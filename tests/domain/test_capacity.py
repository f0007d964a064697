"""In what shape a cluster takes tasks, how many at a time, and in which portions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.capacity import Capacity
from cigri.domain.model import ClusterSettings, Shape
from cigri.domain.oar_request import parse_oar, whole_node


@pytest.mark.parametrize(
    ("arrays", "fields", "shape"),
    [
        (False, {}, Shape.GROUP),
        (True, {}, Shape.ARRAY),
        (True, {"temporal_grouping": True}, Shape.GROUP),
        (True, {"dimensional_grouping": True}, Shape.GROUP),
        (False, {"temporal_grouping": True}, Shape.GROUP),
    ],
)
def test_tasks_are_jobs_of_their_own_unless_their_campaign_groups_them(arrays, fields, shape):
    settings = ClusterSettings(exec_file="x", **fields)

    assert Capacity(arrays=arrays).shape(settings) is shape


@pytest.mark.parametrize(
    ("shape", "seconds", "ended", "wanted"),
    [
        # Nobody knows yet how long a group should be.
        (Shape.GROUP, None, 0, 2 * 16),
        # Sixty a group: one runs at each place, and one waits there.
        (Shape.GROUP, 1.0, 10_000, 2 * 59 * 16),
        # Few have ended: what they tell is good for so many more.
        (Shape.GROUP, 1.0, 10, 160),
        # Tasks as long as a group may be are alone in it.
        (Shape.GROUP, 60.0, 10_000, 16 + 6),
        # An array is no group.
        (Shape.ARRAY, 1.0, 10_000, 16 + 320),
    ],
)
def test_each_place_has_a_group_and_another_one_behind_it(shape, seconds, ended, wanted):
    capacity = Capacity(arrays=True, lookahead=20.0, group_duration=60.0)

    found = capacity.in_flight(shape, parallel=16, mean_duration=seconds, ended=ended)

    assert found == wanted


def test_groups_of_unknown_length_have_half_of_the_tasks():
    capacity = Capacity(arrays=True, lookahead=20.0, group_duration=600.0)

    count = capacity.in_flight(Shape.GROUP, parallel=16, mean_duration=None, ended=0, left=2_000)

    assert count == 1_000
    sizes = capacity.sizes(count, Shape.GROUP, parallel=16, mean_duration=None)
    assert sizes == [63] * 8 + [62] * 8


def test_tasks_that_are_fed_to_what_runs_need_no_guess():
    for capacity, shape in ((Capacity(), Shape.GROUP), (Capacity(arrays=True), Shape.ARRAY)):
        found = capacity.in_flight(shape, parallel=16, mean_duration=None, ended=0, left=2_000)

        assert found == 32


@pytest.mark.parametrize(
    ("cores_per_node", "cores", "dimensional", "abreast"),
    [(8, 1, True, 8), (8, 3, True, 2), (8, 16, True, 1), (None, 1, True, 1), (8, 1, False, 1)],
)
def test_a_job_runs_as_many_tasks_at_a_time_as_fit_on_a_node(
    cores_per_node, cores, dimensional, abreast
):
    settings = ClusterSettings(
        exec_file="x", resources=str(cores), cores=cores, dimensional_grouping=dimensional
    )

    assert Capacity(cores_per_node=cores_per_node).abreast(settings) == abreast


@pytest.mark.parametrize(
    ("resources", "request_of_a_node", "abreast"),
    [
        ("/core=2", "/nodes=1/core=8", 4),
        ("/nodes=1/core=2", "/nodes=1/core=8", 4),
        ("{gpu_model = 'A100'}/host=1/core=2", "{gpu_model = 'A100'}/nodes=1/core=8", 4),
        # What a node cannot give as a whole stays as its user wants it, one task at a time.
        ("/gpu=1", None, 1),
        ("/nodes=2/core=2", None, 1),
        ("/core=16", None, 1),
        ("/core=2+/licence=1", None, 1),
    ],
)
def test_a_node_is_asked_for_only_where_it_holds_what_a_task_wants(
    resources, request_of_a_node, abreast
):
    settings = ClusterSettings(
        exec_file="x",
        resources=resources,
        cores=parse_oar(resources).cores,
        dimensional_grouping=True,
    )

    assert whole_node(resources, 8) == request_of_a_node
    assert Capacity(cores_per_node=8).abreast(settings) == abreast


def test_a_job_of_a_node_has_tasks_for_all_its_cores():
    capacity = Capacity(arrays=True, group_duration=60.0)

    sizes = capacity.sizes(
        2_000, Shape.GROUP, parallel=16, mean_duration=1.0, abreast=8, last=False
    )

    # Two jobs run at a time, each for a minute at most.
    assert max(sizes) <= 8 * 60
    assert len(sizes) == 5


@given(
    st.integers(1, 30_000),
    st.sampled_from(Shape),
    st.builds(
        Capacity,
        arrays=st.just(True),
        most_in_submission=st.integers(1, 5_000),
        most_in_group=st.integers(1, 5_000),
        group_duration=st.floats(1, 1e5),
    ),
    st.fixed_dictionaries(
        {
            "parallel": st.integers(1, 10_000),
            "mean_duration": st.none() | st.floats(0, 1e6),
            "abreast": st.sampled_from([1, 8, 64]),
            "last": st.booleans(),
        }
    ),
)
def test_portions_carry_all_tasks_and_are_no_more_than_a_submission_may_have(
    count, shape, capacity, campaign
):
    count = min(count, capacity.most_tasks(shape))

    sizes = capacity.sizes(count, shape, **campaign)

    assert sum(sizes) == count
    remote = count if shape is Shape.ARRAY else len(sizes)
    assert remote <= capacity.most_in_submission
    if shape is Shape.GROUP:
        assert max(sizes) <= capacity.most_in_group
