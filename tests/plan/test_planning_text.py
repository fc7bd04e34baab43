"""What is read from XLA's text of a program."""

import pytest

from jaxgpt.plan.program_text import ProgramText, size

PROGRAM = """\
HloModule jit_chunk, is_scheduled=true

%sum (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %add = f32[] add(%a, %b)
}

%all-reduce-scatter.1 (p: f32[8,4]) -> f32[2,4] {
  %p = f32[8,4]{1,0:T(8,128)} parameter(0)
  %all-reduce.9 = f32[8,4]{1,0:T(8,128)} all-reduce(%p), to_apply=%sum
  ROOT %slice = f32[2,4]{1,0} dynamic-slice(%all-reduce.9), dynamic_slice_sizes={2,4}
}

%layers (carry: (s32[], f32[8,4])) -> (s32[], f32[8,4]) {
  %carry = (s32[], /*index=1*/f32[8,4]{1,0:T(8,128)S(1)}) parameter(0)
  %i = s32[] get-tuple-element(%carry), index=0
  %x = f32[8,4]{1,0} get-tuple-element(%carry), index=1
  %gather-start = ((f32[8,4]{1,0}), f32[32,4]{1,0}) all-gather-start(%x), dimensions={0}
  %gather-done = f32[32,4]{1,0} all-gather-done(%gather-start)
  %fused = f32[8,4]{1,0} fusion(%gather-done), kind=kLoop, calls=%sum
  ROOT %out = (s32[], f32[8,4]{1,0}) tuple(%i, %fused)
}

%six (carry.1: (s32[], f32[8,4])) -> pred[] {
  %constant.6 = s32[]{:T(128)} constant(6)
  %carry.1 = (s32[], f32[8,4]{1,0}) parameter(0)
  %j = s32[] get-tuple-element(%carry.1), index=0
  ROOT %lt = pred[] compare(%j, %constant.6), direction=LT
}

%unknown (carry.2: (s32[], f32[8,4], s32[])) -> pred[] {
  %carry.2 = (s32[], f32[8,4]{1,0}, s32[]) parameter(0)
  %k = s32[] get-tuple-element(%carry.2), index=0
  %n = s32[] get-tuple-element(%carry.2), index=2
  ROOT %lt.1 = pred[] compare(%k, %n), direction=LT
}

%step (carry.3: (s32[], f32[8,4], s32[])) -> (s32[], f32[8,4], s32[]) {
  %carry.3 = (s32[], f32[8,4]{1,0}, s32[]) parameter(0)
  %loop = (s32[], f32[8,4]{1,0}) while(%carry.3), condition=%six, body=%layers
  %known = (s32[], f32[8,4]{1,0}) while(%carry.3), condition=%unknown, body=%layers, \
backend_config={"known_trip_count":{"n":"2"}}
  %y = f32[8,4]{1,0} get-tuple-element(%loop), index=1
  %scattered = f32[2,4]{1,0} fusion(%y), kind=kCustom, calls=%all-reduce-scatter.1
  %product = f32[8,4]{1,0} custom-call(%y), custom_call_target="gemm"
  %copied = f32[8,4]{1,0} copy(%y)
  ROOT %result = (s32[], f32[8,4]{1,0}, s32[]) tuple(%copied)
}

ENTRY %main (arg: f32[8,4]) -> f32[8,4] {
  %arg = f32[8,4]{1,0} parameter(0)
  %before = bf16[8,4]{1,0} all-reduce(%arg), to_apply=%sum
  ROOT %steps = (s32[], f32[8,4]{1,0}, s32[]) while(%arg), condition=%unknown, body=%step
}
"""


def test_a_step_by_hand():
    found = ProgramText(PROGRAM).step().to_json()
    # Gathered in 6 + 2 layers, of which each device gets 32 x 4 float32; a scattered sum takes all in.
    assert found["collectives"] == {
        "all-gather": {"count": 8, "bytes": 8 * 32 * 4 * 4},
        "reduce-scatter": {"count": 1, "bytes": 8 * 4 * 4},
    }
    # A layer starts a gather and a fusion; a step a fusion, a call and a copy beside.
    assert found["kernels"] == {"fusions": 8 + 1, "custom_calls": 1, "all": 2 * 8 + 3}
    assert found["loops_of_unknown_length"] == 0


def test_what_is_outside_of_the_steps_is_told_apart():
    found = ProgramText(PROGRAM).outside().to_json()
    assert found["collectives"] == {"all-reduce": {"count": 1, "bytes": 8 * 4 * 4}}
    assert found["kernels"]["all"] == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f32[2,3]{1,0:T(8,128)S(1)}", 24),
        ("(bf16[4]{0}, /*index=1*/pred[3], u8[])", 12),
        ("s4[3]", 2),
        ("f8e4m3fn[10]", 10),
        ("c64[2]", 16),
        ("token[]", 0),
    ],
)
def test_sizes_by_hand(text, expected):
    assert size(text) == expected
