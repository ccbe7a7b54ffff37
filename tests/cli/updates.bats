# --update, --update-scale, --ema, --steps: where updates come from, and what comes out.
load helper

# Eight weights, of which 1 is the largest; their updates are the same in another type.
prepare()
{
    npy w.npy '<f4' 8 1 0.5 -0.25 0.125 2e-8 0 nan -1
    npy u.npy '<f8' 8 1e-8
    npy short.npy '<f4' 3 1 2 3
}

figures='[(k, v) for k, v in r["tensors"][0]["casts"][0]["update"].items() if k in ("count", "lost", "overflow")]'

@test "a number is the update of every element" {
    passes w.npy --json --to bf16 --update 1e-8
    is "$figures" "[('count', 7), ('overflow', 0), ('lost', 5)]"
    is 'r["settings"]["update"]' 1e-8
    is '"ema" in r["total"][0], "steps" in r["total"][0]' '(False, False)'
    passes w.npy --json --to bf16 -u 0x1p-7
    is "$figures" "[('count', 7), ('overflow', 0), ('lost', 0)]"
}

@test "a file has an update for every element, of any type" {
    passes w.npy --json --to bf16 --update u.npy
    is "$figures" "[('count', 7), ('overflow', 0), ('lost', 5)]"
    cp u.npy 1e-8
    passes w.npy --json --to bf16 --update ./1e-8
    is 'r["settings"]["update"]' ./1e-8
    is "$figures" "[('count', 7), ('overflow', 0), ('lost', 5)]"
}

@test "the scale multiplies every update, exactly" {
    passes w.npy --json --to bf16 --update u.npy --update-scale -1e6
    is "$figures" "[('count', 7), ('overflow', 0), ('lost', 0)]"
    passes w.npy --json --to bf16 --update 1e-300 --update-scale 1e-300
    is "$figures" "[('count', 7), ('overflow', 0), ('lost', 7)]"
}

@test "a negative update whose product underflows goes down all the same" {
    npy one.npy '<f4' 300 1
    passes one.npy -q --to bf16 -u -1e-200 --update-scale 1e-200 --fail-on 'update.smallest_surviving.p50 != 0x1p-9'
    passes one.npy -q --to bf16 -u -1e-200 --update-scale 1e-200 --reference
}

@test "a container is one with --raw too" {
    npy g.npy '<f4' 4 1
    tail -c 16 g.npy >w.raw
    passes w.raw -q --raw f32:4 --to bf16 -u g.npy
    passes w.raw -q --raw f32:4 --to bf16 -u w.raw
    head -c -4 g.npy >cut.npy
    trouble 'cut.npy: truncated' w.raw -q --raw f32:4 --to bf16 -u cut.npy
    printf xyz >>g.npy
    precheck w.raw -q --raw f32:4 --to bf16 -u g.npy
    [ "$status" -eq 0 ] && [[ $stderr = 'precheck: g.npy: 3 bytes after the data are ignored' ]] || shows tail
}

@test "an update of zero is none" {
    passes w.npy --json --to bf16 --update 0
    is "$figures" "[('count', 0), ('overflow', 0), ('lost', 0)]"
    is 'r["total"][0]["update"]["lost_rate"], r["total"][0]["update"]["smallest_surviving"]' '(None, None)'
}

@test "smallest_surviving is exact" {
    npy v.npy '<f4' 4 1 -1 0 3e38
    passes v.npy --json --to bf16 --update 1e-8
    # Up from 1 a half of 2^-7, from -1 toward zero a half of 2^-8; from 0 a half of 2^-133.
    is 'r["total"][0]["update"]["smallest_surviving"]' \
        "{'p50': $(value '2.0**-9' <<<0), 'p90': $(value '2.0**119' <<<0), 'p99': $(value '2.0**119' <<<0), 'p100': $(value '2.0**119' <<<0)}"
    passes v.npy --json --to bf16 --update -1e-8 --round toward-zero
    is 'r["total"][0]["update"]["smallest_surviving"]["p50"]' '0'
    passes v.npy --json --to bf16 --update 1e-8 --round stochastic
    is 'r["total"][0]["update"]["smallest_surviving"]' 'None'
}

@test "moving averages that stick" {
    passes "$data/digits-exp_avg_sq.npy" --json --to bf16,fp32 --ema 0.999
    is '[c["ema"]["lost_rate"] > 0.99 for c in r["tensors"][0]["casts"]]' '[True, False]'
    is '"update" in r["total"][0]' 'False'
    passes "$data/digits-exp_avg_sq.npy" --json --to bf16 --ema 0.999 -u "$data/digits-grad.npy"
    is '0.9 < r["total"][0]["ema"]["lost_rate"] < 1' 'True'
}

@test "many steps and what helps" {
    passes "$data/digits-weight.npy" --json --to bf16 -u "$data/digits-grad.npy" --update-scale -0.1 --steps 50
    is '[k for k in r["total"][0]["steps"]]' \
        "['steps', 'frozen', 'frozen_rate', 'movement_error', 'sampled', 'stochastic', 'kahan', 'fp32_master']"
    is 'r["settings"]["steps"], r["total"][0]["steps"]["sampled"]' '(50, 1)'
    is '(lambda s: s["frozen_rate"] > 0.5 > s["kahan"]["movement_error"])(r["total"][0]["steps"])' 'True'
}

@test "beyond 2^34 element-steps the costly remedies are tried on some elements" {
    # Every third, which are none.
    npy few.npy '<f4' 9 nan 0.5 0.5 nan 1e-3 1e-3 nan 1e-3 1e-3
    passes few.npy --json --to bf16 -u 1e-7 --steps 4000000000
    is 'r["total"][0]["steps"]["sampled"]' 3
    is 'r["total"][0]["steps"]["frozen"], r["total"][0]["steps"]["frozen_rate"]' '(6, 1)'
    is 'r["total"][0]["steps"]["kahan"]' "{'frozen': 0, 'frozen_rate': None, 'movement_error': None}"
    is '0.99 < r["total"][0]["steps"]["fp32_master"]["movement_error"] < 1' True
}

@test "the same for any instruction set and number of threads" {
    for options in '-u 1e-4' "-u $data/digits-grad.npy --update-scale -0.1" '-u 1e-3 --steps 30' '--ema 0.99'; do
        passes "$data/digits-weight.npy" --json -t fp16,bf16,fp8,fp32 $options
        local first=$output
        passes "$data/digits-weight.npy" --json -t fp16,bf16,fp8,fp32 $options --isa scalar -j 1
        [ "$output" = "$first" ] || shows "$options: --isa scalar -j 1"
        passes "$data/digits-weight.npy" --json -t fp16,bf16,fp8,fp32 $options -j 3
        [ "$output" = "$first" ] || shows "$options: -j 3"
    done
}

@test "gates on updates" {
    passes w.npy -q --to bf16 -u 1e-8 --fail-on 'update.lost_rate > 0.8'
    precheck w.npy -q --to bf16 -u 1e-8 --fail-on 'update.lost_rate > 0.01'
    [ "$status" -eq 1 ] || shows lost_rate
    precheck w.npy -q --to bf16 -u 1e-8 --fail-on 'update.smallest_surviving.p99 > 1e-8'
    [ "$status" -eq 1 ] || shows p99
    precheck w.npy -q --to bf16 -u 1e-8 --steps 9 --fail-on 'steps.kahan.frozen_rate >= 0'
    [ "$status" -eq 1 ] || shows steps
    trouble "there is no 'update' in this report" w.npy -q --to bf16 --fail-on 'update.lost_rate > 0.01'
    trouble "there is no 'ema' in this report" w.npy -q --to bf16 -u 1 --fail-on 'ema.lost > 0'
}

@test "advice has the figure that it rests on" {
    passes w.npy --json --to bf16,fp32 --update 1e-8
    is '[a["code"] for a in r["advice"]]' "['keep-master-weights', 'keep-master-weights']"
    is 'r["advice"][0]["text"][:35]' "71.43 % of updates of 1e-8 are lost"
    is '"|w| > 3.815e-6 cannot move" in r["advice"][0]["text"]' 'True'
    passes w.npy --json --to bf16 --update 1
    is 'r["advice"]' '[]'
}

@test "updates that do not match are trouble, and named" {
    trouble 'w.npy: --update: short.npy has another shape' w.npy -q --to bf16 --update short.npy
    trouble 'none.npy: No such file' w.npy -q --to bf16 --update none.npy
    npy i.npy '<i4' 3 1 2 3
    trouble 'w.npy: --update: i.npy has no floating-point tensor' w.npy -q --to bf16 --update i.npy
    head -c 150 u.npy >cut.npy
    trouble 'cut.npy: truncated' w.npy -q --to bf16 --update cut.npy
    mkfifo pipe
    cat u.npy >pipe &
    trouble 'pipe: .*need a file, not a pipe' w.npy -q --to bf16 --update pipe
}

# pack NPY ARCHIVE DAMAGED: the array as the member w, its last byte changed where DAMAGED is 1.
pack()
{
    "$python" -IS - "$@" <<'END'
import sys, zipfile
member, archive, wrong = sys.argv[1:]
with zipfile.ZipFile(archive, "w") as z:
    z.writestr("w.npy", open(member, "rb").read())
whole = bytearray(open(archive, "rb").read())
whole[whole.index(b"PK\1\2") - 1] ^= int(wrong)
open(archive, "wb").write(whole)
END
}

@test "updates that are not what their checksum says are trouble" {
    npy u.npy '<f4' 8 1e-8
    pack w.npy w.npz 0
    pack u.npy u.npz 0
    pack u.npy damaged.npz 1
    passes w.npz -q --to bf16 --update u.npz
    trouble '^precheck: w.npz: tensor .w.: --update: damaged.npz: the data are damaged: their CRC-32 is' \
        w.npz -q --to bf16 --update damaged.npz
}

@test "updates that change while they are read are trouble" {
    npy many.npy '<f4' 200000 0.5
    cp many.npy updates.npy
    status=0
    { head -c 400000 many.npy; sleep 0.5; printf x >>updates.npy; tail -c +400001 many.npy; } |
        "$PRECHECK" - -q --to bf16 -u updates.npy 2>messages || status=$?
    [ "$status" -eq 2 ]
    grep -qx 'precheck: standard input: --update: updates.npy: the file changed while it was being read' messages
}

@test "options that make no sense are trouble" {
    trouble 'update-scale.*need --update' w.npy --update-scale 2
    trouble 'steps need --update' w.npy --steps 2
    trouble 'steps does not go with --ema' w.npy -u 1 --steps 2 --ema 0.9
    for beta in 1 -0.1 nan x 1e-300; do
        trouble '^precheck: --ema' w.npy --ema "$beta"
    done
    for steps in 0 -1 x 4294967296; do
        trouble '^precheck: --steps' w.npy -u 1 --steps "$steps"
    done
    for scale in 0 inf x; do
        trouble '^precheck: --update-scale' w.npy -u 1 --update-scale "$scale"
    done
}

@test "an output never takes the place of the updates" {
    cp u.npy kept.npy
    trouble 'u.npy: is an input' w.npy --to bf16 --update u.npy -w u.npy
    cmp u.npy kept.npy
}

@test "the reference agrees" {
    passes w.npy -q -t bf16,e4m3fn --reference -u u.npy --update-scale 3 --steps 5
    passes "$data/digits-exp_avg_sq.npy" -q -t bf16 --reference --ema 0.999 -u "$data/digits-grad.npy"
}
