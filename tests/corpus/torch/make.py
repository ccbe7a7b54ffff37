#!/usr/bin/env python3
"""Makes the PyTorch files beside it, and README.md, which tells what each is for.

Neither PyTorch nor pickle wrote these pickles: the opcodes are put together by hand, since most of the
files are what no writer writes. pickletools has a look at those that are to be well-formed.
"""

import io
import pathlib
import pickletools
import struct
import tarfile
import zipfile

HERE = pathlib.Path(__file__).parent
FILES = {}


def add(name, purpose, data):
    assert name not in FILES and len(data) <= 4096, name
    FILES[name] = purpose
    (HERE / name).write_bytes(data)


# Opcodes. Each function returns those that leave one value on the stack.

NONE, TRUE, FALSE, EMPTY = b"N", b"\x88", b"\x89", b")"
STOP = b"."


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(n):
    if 0 <= n < 256:
        return b"K" + bytes([n])
    if -2**31 <= n < 2**31:
        return b"J" + struct.pack("<i", n)
    data = n.to_bytes(n.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def real(x):
    return b"G" + struct.pack(">d", x)


def put(index):
    return b"q" + bytes([index])


def get(index):
    return b"h" + bytes([index])


def class_(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def tuple_(*values):
    return b"(" + b"".join(values) + b"t"


def list_(*values):
    return b"](" + b"".join(values) + b"e"


def dict_(pairs):
    """Of names, or of opcodes, to opcodes."""
    return b"}(" + b"".join((key if isinstance(key, bytes) else text(key)) + value for key, value in pairs) + b"u"


def call(module, name, *arguments):
    return class_(module, name) + tuple_(*arguments) + b"R"


def new(module, name, state):
    return class_(module, name) + EMPTY + b"\x81" + state + b"b"


def numbers(values):
    return tuple_(*map(number, values))


HOOKS = call("collections", "OrderedDict")


def storage(kind, key, count, module="torch", more=b""):
    return tuple_(text("storage"), class_(module, kind), text(key), text("cpu"), number(count), more) + b"Q"


def strides_of(shape):
    strides, step = [], 1
    for dimension in reversed(shape):
        strides.insert(0, step)
        step *= dimension
    return strides


def tensor(key="0", shape=(3,), strides=None, offset=0, kind="Float", count=6, function="_rebuild_tensor_v2", more=b"",
           stored=None):
    return call("torch._utils", function, stored or storage(kind + "Storage", key, count), number(offset), numbers(shape),
                numbers(strides_of(shape) if strides is None else strides), FALSE, HOOKS, more)


def typed(dtype, key="0", shape=(3,), count=3, more=b""):
    """As newer versions write the types that have no storage class."""
    return tensor(key, shape, stored=storage("UntypedStorage", key, count, "torch.storage"), function="_rebuild_tensor_v3",
                  more=class_("torch", dtype) + more)


# Files.

def floats(count=6, code="f", order="<", first=0):
    return struct.pack(f"{order}{count}{code}", *range(first, first + count))


def archive(value, data=None, members=None, deflated=(), folder="archive/", protocol=b"\x80\x02"):
    """A zip archive of the pickle and the storages."""
    members = {"data.pkl": protocol + value + STOP, "version": b"3\n", **(members or {})}
    for key, stored in (data if data is not None else {"0": floats()}).items():
        members[f"data/{key}"] = stored
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        for name, contents in members.items():
            method = zipfile.ZIP_DEFLATED if name in deflated else zipfile.ZIP_STORED
            written.writestr(zipfile.ZipInfo(folder + name), contents, method)
    return file.getvalue()


MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def legacy(value, data=None, keys=None, version=1001, count=None, system="little_endian", tail=b""):
    """Pickles, and the storages behind them: {key: (count, bytes)}."""
    data = data if data is not None else {"0": (6, floats())}
    file = MAGIC + b"\x80\x02" + number(version) + STOP
    file += b"\x80\x02" + dict_([("protocol_version", number(1001)), (system, TRUE)]) + STOP
    file += b"\x80\x02" + value + STOP
    file += b"\x80\x02" + list_(*map(text, keys if keys is not None else data)) + STOP
    for stored_count, stored in data.values():
        file += struct.pack("<Q", stored_count if count is None else count) + stored
    return file + tail


def old(key="0", shape=(3,), kind="Float", count=6, view=NONE, offset=0):
    """A tensor of a legacy file, whose storages have one thing more to say."""
    return tensor(key, shape, offset=offset, stored=storage(kind + "Storage", key, count, more=view))


def good(name, purpose, value, *arguments, **more):
    pickletools.dis(b"\x80\x02" + value + STOP, out=io.StringIO())
    add(f"good-{name}.pt", purpose, archive(value, *arguments, **more))


def bad(name, purpose, value, *arguments, **more):
    add(f"bad-{name}.pt", purpose, archive(value, *arguments, **more))


def good_legacy(name, purpose, value, *arguments, **more):
    add(f"good-legacy-{name}.pt", purpose, legacy(value, *arguments, **more))


def bad_legacy(name, purpose, value, *arguments, **more):
    add(f"bad-legacy-{name}.pt", purpose, legacy(value, *arguments, **more))


W = tensor()
ONE = dict_([("w", W)])

# What torch.save writes of a model and its optimizer.
good("state-dict", "what a model's state_dict is",
     HOOKS + b"(" + text("fc.weight") + tensor("0", (2, 3)) + text("fc.bias") + tensor("1", (2,), count=2) +
     text("steps") + tensor("2", (), kind="Long", count=1) + b"u" + dict_([("_metadata", dict_([("", dict_([("version", number(1))]))]))]) + b"b",
     {"0": floats(), "1": floats(2, first=6), "2": struct.pack("<q", 7)})
good("checkpoint", "a model and an optimizer in one: dicts, lists, integers as keys",
     dict_([("model", dict_([("w", W)])),
            ("optimizer", dict_([("state", b"}" + number(0) + dict_([("step", number(3)), ("exp_avg", tensor("1", (3,), count=3))]) + b"s"),
                                 ("param_groups", list_(dict_([("lr", real(0.1)), ("betas", tuple_(real(0.9), real(0.999))), ("params", list_(number(0)))])))])),
            ("history", list_(tensor("2", (1,), count=1), NONE, TRUE)), ("epoch", number(300))]),
     {"0": floats(), "1": floats(3, first=10), "2": floats(1, first=20)})
good("bare", "a tensor that is all there is: it has no name", W)
good("scalar", "a tensor of no dimension", dict_([("s", tensor(shape=(), count=1))]), {"0": floats(1, first=5)})
good("empty", "tensors without elements", dict_([("a", tensor(shape=(0, 3), count=0)), ("b", tensor("1", (2, 0), count=0))]), {"0": b"", "1": b""})
good("no-tensor", "nothing but numbers", dict_([("epoch", number(3))]))

# Views.
good("rows", "the second row of a matrix: an offset", dict_([("w", tensor(shape=(3,), offset=3))]))
good("transposed", "a transposed matrix", dict_([("w", tensor(shape=(3, 2), strides=(1, 3)))]))
good("every-second", "elements apart from each other", dict_([("w", tensor(shape=(3,), strides=(2,)))]))
good("expanded", "an axis that repeats what it holds", dict_([("w", tensor(shape=(4, 3), strides=(0, 1)))]))
good("expanded-all", "one element under any index", dict_([("w", tensor(shape=(4, 3), strides=(0, 0), offset=5))]))
good("length-one", "axes of length one, whatever their strides are", dict_([("w", tensor(shape=(1, 3, 1), strides=(77, 1, 0)))]))
good("channels-last", "images with the channel fastest", dict_([("w", tensor(shape=(1, 3, 1, 2), strides=(6, 1, 6, 3)))]))
good("windows", "windows that overlap: skipped", dict_([("w", tensor(shape=(4, 3), strides=(1, 1)))]))
good("two-views", "two views of one storage, of which neither is the other", dict_([("a", tensor(shape=(6,))), ("b", tensor(shape=(2, 3)))]))
good("tied", "one tensor under two names, pickled twice", dict_([("a", W), ("b", tensor()), ("c", tensor(offset=3))]))
good("tied-memo", "one object under three names", dict_([("a", W + put(0)), ("b", get(0)), ("c", list_(get(0)))]))

# Element types.
good("f16", "float16", dict_([("w", tensor(kind="Half", count=3))]), {"0": floats(3, "e")})
good("bf16", "bfloat16", dict_([("w", tensor(kind="BFloat16", count=3))]), {"0": bytes.fromhex("00000000803f0040")[2:]})
good("f64", "float64", dict_([("w", tensor(kind="Double", count=3))]), {"0": floats(3, "d")})
good("complex64", "complex64: pairs of float32", dict_([("w", tensor(kind="ComplexFloat", count=3))]))
good("complex128", "complex128, transposed: the component stays fastest", dict_([("w", tensor(shape=(2, 2), strides=(1, 2), kind="ComplexDouble", count=4))]),
     {"0": floats(8, "d")})
good("complex32", "complex32, as newer versions write it", dict_([("w", typed("complex32", shape=(2,), count=8))]), {"0": floats(4, "e")})
good("fp8", "the 8-bit floats, as newer versions write them",
     dict_([("a", typed("float8_e4m3fn")), ("b", typed("float8_e5m2", "1")), ("c", typed("float8_e4m3fnuz", "2")), ("d", typed("float8_e5m2fnuz", "3"))]),
     {"0": b"\x00\x38\x40", "1": b"\x00\x3c\x40", "2": b"\x00\x40\x48", "3": b"\x00\x40\x44"})
good("typed-view", "two types in one storage of bytes", dict_([("a", typed("float32", shape=(1,), count=4)), ("b", typed("float16", shape=(2,), count=4))]), {"0": floats(1, first=2)})
good("integers", "integers and booleans: skipped",
     dict_([(kind, tensor(str(i), (1,), kind=kind, count=1)) for i, kind in enumerate(["Long", "Int", "Short", "Char", "Byte", "Bool"])] + [("u16", typed("uint16", "6", (1,), 2))]),
     {"0": bytes(8), "1": bytes(4), "2": bytes(2), "3": bytes(1), "4": bytes(1), "5": bytes(1), "6": bytes(2)})
good("other-types", "scales, packed and unheard-of types: skipped",
     dict_([("scale", typed("float8_e8m0fnu")), ("packed", typed("float4_e2m1fn_x2", "1")), ("new", typed("float3_new", "2"))]),
     {"0": bytes(3), "1": bytes(3), "2": bytes(3)})
good("big-endian", "written on a big-endian machine", dict_([("w", W), ("b", typed("float8_e5m2", "1"))]), {"0": floats(order=">"), "1": b"\x00\x3c\x40"},
     {"byteorder": b"big"})
good("little-endian", "the byte order stated", ONE, None, {"byteorder": b"little"})

# Other ways to rebuild.
good("rebuild-1", "as the first versions wrote it: four arguments",
     dict_([("w", call("torch._utils", "_rebuild_tensor", storage("FloatStorage", "0", 6), number(0), numbers([3]), numbers([1])))]))
good("parameter", "parameters, with state and without",
     dict_([("a", call("torch._utils", "_rebuild_parameter", W, TRUE, HOOKS)), ("b", call("torch._utils", "_rebuild_parameter_with_state", tensor(offset=3), TRUE, HOOKS, dict_([("x", number(1))])))]))
good("subclass", "a subclass of Tensor",
     dict_([("w", call("torch._tensor", "_rebuild_from_type_v2", class_("torch._utils", "_rebuild_tensor_v2"), class_("my", "Tensor"),
                       tuple_(storage("FloatStorage", "0", 6), number(0), numbers([3]), numbers([1]), FALSE, HOOKS), dict_([])))]))
good("size", "the shape as torch.Size", dict_([("w", call("torch._utils", "_rebuild_tensor_v2", storage("FloatStorage", "0", 6), number(0),
     call("torch", "Size", numbers([2, 3])), numbers([3, 1]), FALSE, HOOKS))]))
good("cuda", "a storage class of CUDA", dict_([("w", tensor(stored=storage("FloatStorage", "0", 6, "torch.cuda")))]))
good("metadata", "metadata that change nothing, and such that negate",
     dict_([("w", tensor(more=dict_([("neg", FALSE)]))), ("n", tensor(offset=3, more=dict_([("neg", TRUE)])))]))
good("other-tensors", "tensors of other kinds: skipped",
     dict_([("sparse", call("torch._utils", "_rebuild_sparse_tensor", call("torch.serialization", "_get_layout", text("torch.sparse_coo")), tuple_(W, W, numbers([3])))),
            ("quantized", call("torch._utils", "_rebuild_qtensor", storage("QInt8Storage", "0", 6), number(0), numbers([3]), numbers([1]), tuple_(), FALSE, HOOKS)),
            ("meta", call("torch._utils", "_rebuild_meta_tensor_no_storage", class_("torch", "float32"), numbers([3]), numbers([1]), FALSE)),
            ("parameter", call("torch._utils", "_rebuild_parameter", call("torch._utils", "_rebuild_sparse_tensor", NONE, NONE), TRUE, HOOKS)),
            ("storage", storage("FloatStorage", "0", 6))]))

# Objects.
good("module", "a module pickled whole: the state of an unknown class",
     new("my.models", "Net", dict_([("training", TRUE), ("_parameters", dict_([("w", W), ("b", NONE)])),
                                    ("_modules", dict_([("fc", new("torch.nn", "Linear", dict_([("_parameters", dict_([("w", tensor(offset=3))]))])))]))])))
good("system", "calls of os.system: they stay what they are",
     dict_([("a", call("os", "system", text("touch /tmp/owned"))), ("w", W), ("b", call("posix", "system", text("id")))]))
good("system-new", "the same by NEWOBJ and BUILD, by OBJ and INST",
     dict_([("a", class_("os", "system") + tuple_(text("id")) + b"\x81" + dict_([("x", W)]) + b"b"),
            ("b", b"(" + class_("os", "system") + text("id") + b"o"), ("c", b"(" + text("id") + b"ios\nsystem\n")]))
good("system-as-tensor", "a call in the place of a parameter's tensor",
     dict_([("a", call("torch._utils", "_rebuild_parameter", call("os", "system", text("id")), TRUE, HOOKS)), ("w", W)]))
good("python-2", "an OrderedDict as Python 2 wrote it", call("collections", "OrderedDict", list_(list_(b"U\x01a" + W), list_(b"U\x01b" + tensor(offset=3)))))
good("sets", "tensors in sets and queues", dict_([("a", call("__builtin__", "set", list_(W))), ("b", call("collections", "deque", list_(number(1), tensor(offset=3))))]))
good("script", "TorchScript: its attributes are read, its constants are not", new("__torch__", "Net", ONE), None, {"constants.pkl": b"\x80\x02).", "code/net.py": b"x = 1\n"})
good("no-folder", "members that lie in no folder", ONE, folder="")

# Structures.
good("cycle", "a dict and a list that hold themselves", b"}" + put(0) + b"(" + text("self") + get(0) + text("list") + b"]" + put(1) + get(1) + b"a" + text("w") + W + b"u")
good("doubling", "forty pairs of one pair each: 2^40 paths to one tensor", W + b"".join(put(i) + get(i) + b"\x86" for i in range(40)))
good("diamond", "one dict in two places: found in the first", dict_([("a", ONE + put(0)), ("b", get(0))]))
good("duplicates", "the same name on different ways", dict_([("a.b", W), ("a", dict_([("b", tensor(offset=3)), ("b#2", tensor("1", count=3))])), ("a.b#2", tensor("1", (2,), count=3))]),
     {"0": floats(), "1": floats(3)})
good("keys", "keys that are no text",
     dict_([(number(-5), W), (number(2**40), tensor("1", count=3)), (NONE, tensor("2", count=3)), (TRUE, tensor("3", count=3)), (real(0.1), tensor("4", count=3)),
            (tuple_(text("a"), number(0)), tensor("5", count=3)), (class_("torch", "float32"), tensor("6", count=3)), (EMPTY, tensor("7", count=3)),
            (tuple_(EMPTY), tensor("8", count=3)), (number(2**70), tensor("9", count=3)), (b"L1" + b"0" * 40 + b"L\n", tensor("10", count=3)), (b"L-12L\n", tensor("11", count=3))]),
     {"0": floats(), **{str(i): floats(3, first=i) for i in range(1, 12)}})
good("names", "names that are a danger to those who print them",
     dict_([(name, tensor(str(i), (1,), count=1)) for i, name in enumerate(["two\nlines", "<script>alert(1)</script>", "%s%n%x", "\x1b[31mred", "", "\u202eltr", "../../etc/passwd"])] +
           [(b"C\x02\xff\xfe", tensor("7", (1,), count=1))]),
     {str(i): floats(1, first=i) for i in range(8)})

# Opcodes that PyTorch does not use, or no longer.
add("good-protocol-0.pt", "all in text", archive(
    b"(dp0\nS'w'\np1\nctorch._utils\n_rebuild_tensor_v2\n(" + storage("FloatStorage", "0", 6) + b"I0\n(L3L\nt(I1\ntI00\n(i__main__\nHooks\ntRsV\\u00e4\nF1.5\ns",
    protocol=b""))
add("good-protocol-4.pt", "frames, short texts, MEMOIZE, STACK_GLOBAL", archive(
    b"\x95" + struct.pack("<Q", 1) + b"}\x94\x8c\x01w\x94\x8c\x0ctorch._utils\x94\x8c\x12_rebuild_tensor_v2\x94\x93\x94(" + storage("FloatStorage", "0", 6) +
    b"\x94K\x00K\x03\x85\x94K\x01\x85\x94\x89" + HOOKS + b"t\x94R\x94s\x8f\x94(K\x01K\x02\x900(K\x01\x91\x940C\x02ab0\x8e" + struct.pack("<Q", 1) + b"a0", protocol=b"\x80\x04"))
add("good-protocol-5.pt", "a bytearray, and strings of more bytes than are kept", archive(
    b"}(" + text("w") + W + text("x") + b"\x96" + struct.pack("<Q", 3) + b"abcu", protocol=b"\x80\x05"))
good("stack", "POP, POP_MARK, DUP, and the memo by text", b"K\x01K\x02(K\x0310(02" + b"0" + b"0" + dict_([("w", W + b"p9\n0g9\n")]))

# Pickles that end in a message.
bad("opcode", "an opcode that there is not", b"}\xff")
bad("opcode-extension", "the registry of extensions", b"}\x82\x01")
bad("protocol-6", "a protocol to come", b"}", protocol=b"\x80\x06")
add("bad-pickle-empty.pt", "a pickle of no byte", archive(b"", members={"data.pkl": b""}))
add("bad-pickle-cut.pt", "a pickle that ends early", archive(b"", members={"data.pkl": b"\x80\x02" + ONE[:-40]}))
add("bad-pickle-cut-text.pt", "a pickle that ends in a text of 4 GB", archive(b"", members={"data.pkl": b"\x80\x02X\xff\xff\xff\xffabc"}))
add("bad-pickle-cut-data.pt", "and in one of 2^63 bytes", archive(b"", members={"data.pkl": b"\x80\x04\x8d" + struct.pack("<Q", 2**63) + b"abc"}))
add("bad-pickle-cut-line.pt", "and in a line", archive(b"", members={"data.pkl": b"\x80\x02ctorch"}))
bad("stack-empty", "nothing on the stack", b"")
bad("stack-reduce", "a call without arguments", class_("os", "system") + b"R")
bad("stack-mark", "a value below a mark, out of reach", b"](K\x01a")
bad("stack-object", "an object without a class", b"(o")
bad("mark-none", "no mark", b"]e")
bad("memo-none", "what was never put there", get(7))
bad("memo-huge", "the memo's entry 2^32 - 1", b"}r\xff\xff\xff\xff")
bad("memo-number", "an entry of the memo that is no number", b"}pone\n")
bad("append-tuple", "a tuple that grows", b")K\x01a")
bad("set-list", "a list as a dict", b"]K\x01K\x02s")
bad("build-none", "the state of None", b"N}b")
bad("key-alone", "a key without a value", b"}(K\x01u")
bad("key-alone-dict", "the same in a dict of one opcode", b"(K\x01d")
bad("class-number", "a class by the name of 1", b"K\x01K\x02\x93")
bad("integer", "an integer that is none", b"I12x\n")
bad("integer-empty", "an integer of no digit", b"L-L\n")
bad("float", "a number that is none", b"Fone\n")
bad("quotes", "a string without quotes", b"Sabc\n")
bad("deep", "a list in a list, 1500 times", b"]" * 1500 + b"a" * 1499)
bad("name-nul", "a NUL in a name", dict_([("a\0b", W)]))

# Tensors that cannot be.
bad("count-huge", "a storage of 2^62 elements", dict_([("w", tensor(count=2**62))]))
bad("count-large", "a storage of one element more than there is", dict_([("w", tensor(count=7))]))
bad("count-negative", "a storage of less than nothing", dict_([("w", tensor(count=-1))]))
bad("storage-missing", "a storage that is not there", dict_([("w", tensor("1"))]))
bad("storage-empty", "a storage without its bytes", ONE, {"0": b""})
bad("storage-key", "a key with a NUL in it", dict_([("w", tensor("0\0"))]))
bad("storage-outside", "a key that leads out of its folder", dict_([("w", tensor("../version"))]))
bad("storage-none", "no storage", dict_([("w", tensor(stored=NONE))]))
bad("storage-module", "something else that is persistent", dict_([("w", tensor(stored=tuple_(text("module"), class_("my", "Net"), NONE, NONE, NONE) + b"Q"))]))
bad("deflated", "a storage that was compressed afterwards", ONE, deflated={"data/0"})
bad("deflated-pickle", "a pickle that was", ONE, deflated={"data.pkl"})
bad("offset-negative", "an offset before the storage", dict_([("w", tensor(offset=-1))]))
bad("offset-beyond", "an offset behind it", dict_([("w", tensor(shape=(1,), offset=6))]))
bad("offset-huge", "an offset that overflows in bytes", dict_([("w", tensor(shape=(1,), offset=2**62))]))
bad("shape-beyond", "more elements than in the storage", dict_([("w", tensor(shape=(7,)))]))
bad("shape-negative", "a dimension of -1", dict_([("w", tensor(shape=(-1,)))]))
bad("shape-float", "a dimension of 1.5", dict_([("w", call("torch._utils", "_rebuild_tensor_v2", storage("FloatStorage", "0", 6), number(0), tuple_(real(1.5)), numbers([1]), FALSE, HOOKS))]))
bad("shape-huge", "2^66 elements, of which there is one", dict_([("w", tensor(shape=(2**33, 2**33), strides=(0, 0)))]))
bad("shape-none", "no shape", dict_([("w", call("torch._utils", "_rebuild_tensor_v2", storage("FloatStorage", "0", 6), number(0), NONE, numbers([1]), FALSE, HOOKS))]))
bad("rank", "65 dimensions", dict_([("w", tensor(shape=(1,) * 65))]))
bad("stride-negative", "a stride of -1", dict_([("w", tensor(shape=(3,), strides=(-1,), offset=2))]))
bad("stride-beyond", "a stride that leaves the storage", dict_([("w", tensor(shape=(3,), strides=(3,)))]))
bad("stride-huge", "a stride that overflows", dict_([("w", tensor(shape=(5,), strides=(2**62,)))]))
bad("strides-few", "fewer strides than dimensions", dict_([("w", tensor(shape=(1, 3), strides=(1,)))]))
bad("arguments-few", "a tensor of a storage alone", dict_([("w", call("torch._utils", "_rebuild_tensor_v2", storage("FloatStorage", "0", 6)))]))
bad("dtype-none", "no element type where one is due", dict_([("w", tensor(function="_rebuild_tensor_v3", more=NONE))]))
bad("typed-beyond", "a storage of bytes that holds fewer floats", dict_([("w", typed("float32", shape=(2,), count=7))]), {"0": bytes(7)})
bad("integers-beyond", "integers, which are skipped, where there are none", dict_([("w", tensor(kind="Long", shape=(4,), count=3))]))

# Archives.
bad("byte-order", "a byte order that is none", ONE, None, {"byteorder": b"middle"})
bad("byte-order-long", "a long one", ONE, None, {"byteorder": b"little" * 20})
bad("two", "two checkpoints in one archive", ONE, folder="", members={"a/data.pkl": b"\x80\x02}.", "b/data.pkl": b"\x80\x02}."})

# The legacy form.
OLD = dict_([("w", old())])
good_legacy("plain", "pickles, and raw data behind them", OLD)
good_legacy("several", "storages in the order of their keys, not of the tensors", dict_([("b", old("94", (2,), count=2)), ("a", old("12", (3,), "Double", 3)), ("n", old("77", (1,), "Long", 1))]),
            {"12": (3, floats(3, "d")), "77": (1, bytes(8)), "94": (2, floats(2, first=8))})
good_legacy("view", "a view of a storage, as before PyTorch 0.4", dict_([("w", old(view=tuple_(text("5"), number(2), number(3)), shape=(2,), offset=1))]))
good_legacy("big", "a big-endian writer: the data are little-endian all the same", OLD, system="other_endian")
good_legacy("tail", "bytes after the data: a warning", OLD, tail=b"tail")
good_legacy("unread", "a storage in an object that is not looked at", dict_([("x", call("my", "f", old("1", count=2))), ("w", old())]), {"1": (2, floats(2)), "0": (6, floats())})
good_legacy("none", "no storage", dict_([("epoch", number(3))]), {})
bad_legacy("version", "version 1002", OLD, version=1002)
bad_legacy("key", "data that nothing refers to", OLD, {"0": (6, floats()), "1": (6, floats())})
bad_legacy("key-twice", "data of one storage twice", OLD, keys=["0", "0"])
bad_legacy("key-missing", "a tensor without data", OLD, {})
bad_legacy("count", "another number of elements than the pickle says", OLD, count=5)
bad_legacy("count-huge", "2^62 elements, as the pickle says", dict_([("w", old(count=2**62))]), count=2**62)
bad_legacy("kind", "a storage of who knows what", dict_([("w", tensor(stored=storage("NewStorage", "0", 6, more=NONE)))]))
bad_legacy("view-beyond", "a view beyond its storage", dict_([("w", old(view=tuple_(text("5"), number(4), number(3))))]))
add("bad-legacy-cut.pt", "ends in the data", legacy(OLD)[:-1])
add("bad-legacy-cut-count.pt", "ends in the number of elements", legacy(OLD)[:-28])
add("bad-legacy-magic.pt", "nothing behind the first pickle", MAGIC)

# Other forms.
with io.BytesIO() as contents:
    with tarfile.open(fileobj=contents, mode="w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("sys_info")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"N.\n"))
    add("bad-tar.pt", "a tar archive, as the first versions wrote", contents.getvalue()[:2048])
add("bad-shard.distcp", "a part of a distributed checkpoint", archive(W) + archive(W))

with open(HERE / "README.md", "w", encoding="utf-8") as readme:
    readme.write("# PyTorch files\n\nMade by make.py, as is this list. `good-*` opens, `bad-*` is refused.\n"
                 "What exactly is expected of each stands in `tests/unit/torch_test.c`.\n\n"
                 "| file | what it is for |\n|---|---|\n")
    for name, purpose in FILES.items():
        readme.write(f"| {name} | {purpose} |\n")
