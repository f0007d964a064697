"""What a forged journal, or a cluster gone mad, may say of tasks numbered from 0."""

from hypothesis import strategies as st

from cigri.domain.model import TaskNumber
from cigri.domain.verdict import Ending, TaskEnd

NOW = 1_700_000_000.0

numbers = st.one_of(st.integers(-2, 12), st.sampled_from([1_000, 2**31, 2**63, 10**30, -(10**30)]))
instants = st.one_of(
    st.floats(NOW - 10, NOW + 10), st.floats(), st.sampled_from([0.0, -1.0, 1e300, 9.3e15])
)
statuses = st.one_of(
    st.sampled_from([0, 1, 9, 66, 67, -9, None]),
    st.integers(-(2**70), 2**70),
    st.sampled_from([255, 256, -64, -65, 32767, 32768]),
)
ends = st.builds(
    TaskEnd,
    numbers.map(TaskNumber),
    st.sampled_from(Ending),
    statuses,
    instants,
    instants,
    st.sampled_from(["", "no such file", "long " * 400]),
)
