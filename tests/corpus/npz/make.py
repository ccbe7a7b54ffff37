#!/usr/bin/env python3
"""Makes the .npz files beside it, and README.md, which tells what each is for.

The archives are written by hand: most of them are what no zip library writes. Python's zipfile reads all that are good.
"""

import io
import pathlib
import struct
import zipfile
import zlib

HERE = pathlib.Path(__file__).parent
FILES = {}

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
ENCRYPTED, DESCRIPTOR = 1, 8
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF


def add(name, purpose, data):
    assert name not in FILES and len(data) < 4096, name
    FILES[name] = purpose
    (HERE / name).write_bytes(data)


def good(name, purpose, data):
    add(f"good-{name}.npz", purpose, data)
    archive = zipfile.ZipFile(io.BytesIO(data))
    readable = [i for i in archive.infolist() if not i.flag_bits & ENCRYPTED and i.compress_type in (STORED, DEFLATED)]
    assert all(zlib.crc32(archive.read(i)) == i.CRC for i in readable), name


def bad(name, purpose, data):
    add(f"bad-{name}.npz", purpose, data)


# .npy

def floats(count, order="<", code="f"):
    return struct.pack(f"{order}{count}{code}", *[0.5 + i for i in range(count)])


def literal(descr="<f4", shape="(3,)", fortran="False"):
    return f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"


def npy(text=literal(), data=floats(3), align=64):
    text += " " * (-(10 + len(text) + 1) % align) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + data


# zip

def deflate(data, level=9, flush=zlib.Z_FINISH):
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush(flush)


def zip64(*values):
    return struct.pack("<HH", 1, 8 * len(values)) + struct.pack(f"<{len(values)}Q", *values)


class Member:
    """`local` and `central` replace what the two headers say: flags, method, crc, packed, bytes, name, extra; and of the
    directory header, disk, comment, signature."""

    def __init__(self, name, data=npy(), method=STORED, packed=None, behind=b"", both=None, local=None, central=None):
        self.packed = packed if packed is not None else deflate(data) if method == DEFLATED else data
        fields = {"flags": 0, "method": method, "crc": zlib.crc32(data), "packed": len(self.packed), "bytes": len(data),
                  "name": name.encode() if isinstance(name, str) else name, "extra": b"", "comment": b"", "disk": 0,
                  "header": None, **(both or {})}
        self.local = {"signature": b"PK\3\4", **fields, **(local or {})}
        self.central = {"signature": b"PK\1\2", **fields, **(central or {})}
        self.behind = behind

    def local_bytes(self):
        f = self.local
        return f["signature"] + struct.pack("<5H3I2H", 20, f["flags"], f["method"], 0, 33, f["crc"], f["packed"], f["bytes"],
                                            len(f["name"]), len(f["extra"])) + f["name"] + f["extra"] + self.packed + self.behind

    def central_bytes(self, header):
        f = self.central
        header = header if f["header"] is None else f["header"]
        return f["signature"] + struct.pack("<6H3I5H2I", 20, 20, f["flags"], f["method"], 0, 33, f["crc"], f["packed"],
                                            f["bytes"], len(f["name"]), len(f["extra"]), len(f["comment"]), f["disk"], 0, 0,
                                            header) + f["name"] + f["extra"] + f["comment"]


def archive(*members, order=None, comment=b"", end=None, end64=None, locator=None, before_directory=b"", after_directory=b""):
    """`end`, `end64` and `locator` replace what those records say; the latter two are there only if asked for."""
    content, headers = b"", []
    for member in members:
        headers.append(len(content))
        content += member.local_bytes()
    content += before_directory
    directory = b"".join(members[i].central_bytes(headers[i]) for i in order or range(len(members)))
    numbers = {"disk": 0, "first": 0, "here": len(members), "count": len(members), "size": len(directory),
               "offset": len(content)}
    content += directory + after_directory
    if end64 is not None:
        f = {**numbers, "signature": b"PK\6\6", "length": 44, **end64}
        g = {"signature": b"PK\6\7", "disk": 0, "at": len(content), "disks": 1, **(locator or {})}
        content += f["signature"] + struct.pack("<Q2H2I4Q", f["length"], 45, 45, f["disk"], f["first"], f["here"], f["count"],
                                                f["size"], f["offset"])
        content += g["signature"] + struct.pack("<IQI", g["disk"], g["at"], g["disks"])
    f = {**numbers, "comment": len(comment), **(end or {})}
    return content + b"PK\5\6" + struct.pack("<4H2IH", f["disk"], f["first"], f["here"], f["count"], f["size"], f["offset"],
                                             f["comment"]) + comment


A = npy()
W = Member("w.npy")
V = Member("v.npy", npy(literal(shape="(2, 2)"), floats(4)))
D = Member("d.npy", method=DEFLATED)
I = Member("i.npy", npy(literal("<i8"), bytes(24)))
FULL = {"packed": FULL32, "bytes": FULL32}
SAVEZ = {**FULL, "extra": zip64(len(A), len(A))}
NOTHING_YET = {"crc": 0, "packed": 0, "bytes": 0}


def descriptor(data, packed):
    return b"PK\7\x08" + struct.pack("<3I", zlib.crc32(data), packed, len(data))


# Members.
good("stored", "stored members", archive(W, V))
good("deflated", "a deflated member", archive(D))
good("mixed", "stored and deflated members", archive(W, D, V, Member("e.npy", V.packed, DEFLATED)))
good("deflated-stored", "deflated, in blocks that are not", archive(Member("w.npy", A, DEFLATED, deflate(A, 0))))
good("integers", "integers, stored and deflated: skipped", archive(I, W, Member("j.npy", I.packed, DEFLATED)))
good("objects", "pickled objects: skipped", archive(Member("o.npy", npy(literal("|O", "()"), b"\x80\3}q\0.")), W))
good("others", "members of other kinds: skipped",
     archive(Member("readme.txt", b"text"), Member("a/", b""), W, Member("A.NPY"), Member("empty", b""),
             Member("zero", b"", DEFLATED), Member("npy", b"")))
good("others-unreadable", "the same, encrypted, and compressed by bzip2",
     archive(Member("secret", b"1234567890abcdef", both={"flags": ENCRYPTED, "bytes": 4}), W,
             Member("dense", b"BZh", BZIP2)))
good("order", "a directory in another order than the file", archive(W, V, D, order=(2, 0, 1)))
good("names", "names that no file should have",
     archive(Member("/w.npy"), Member("../../w.npy"), Member("a/b.npy"), Member(".npy"), Member("\u00e9.npy"),
             Member(b"\xff\n\x1b[1m.npy"), Member("x.npy.npy")))

# Arrays.
good("types", "element types",
     archive(Member("f8.npy", npy(literal("<f8"), floats(3, code="d"))), Member("be.npy", npy(literal(">f4"), floats(3, ">"))),
             Member("c8.npy", npy(literal("<c8"), floats(6))),
             Member("bf.npy", npy(literal("<V2"), bytes.fromhex("003fc03f2040"))),
             Member("bg.npy", npy(literal("<V2"), bytes.fromhex("003fc03f2040")))))
good("shapes", "a scalar, nothing, and Fortran order, stored",
     archive(Member("s.npy", npy(literal(shape="()"), floats(1))), Member("n.npy", npy(literal(shape="(0, 3)"), b"")),
             Member("f.npy", npy(literal(shape="(2, 3)", fortran="True"), floats(6)))))
good("shapes-deflated", "the same, deflated",
     archive(Member("s.npy", npy(literal(shape="()"), floats(1)), DEFLATED),
             Member("n.npy", npy(literal(shape="(0, 3)"), b""), DEFLATED),
             Member("f.npy", npy(literal(shape="(2, 3)", fortran="True"), floats(6)), DEFLATED)))
good("unaligned", "data at odd bytes", archive(Member("w.npy", npy(align=1)), Member("ww.npy", npy(align=1))))
good("view", "16-bit integers: bf16 by --view, which leaves the others alone",
     archive(Member("u.npy", npy(literal("<u2"), bytes.fromhex("003fc03f2040"))), W, I))
good("tail", "bytes after the data of a stored member: a warning", archive(Member("w.npy", A + b"tail"), V))
good("tail-deflated", "of two members, one deflated",
     archive(Member("w.npy", A + b"tail", DEFLATED), Member("v.npy", A + b"t")))

# What writers do.
good("savez", "ZIP64 sizes in local headers only, as np.savez writes", archive(Member("w.npy", local=SAVEZ)))
good("savez-pipe", "the same into a pipe: sizes come behind the data",
     archive(Member("w.npy", both={"flags": DESCRIPTOR}, behind=b"PK\7\x08" + struct.pack("<IQQ", zlib.crc32(A), len(A), len(A)),
                    local={**SAVEZ, "crc": 0, "extra": zip64(0, 0)})))
good("descriptor", "sizes behind the data, none in local headers",
     archive(Member("w.npy", both={"flags": DESCRIPTOR}, local=NOTHING_YET, behind=descriptor(A, len(A))),
             Member("d.npy", A, DEFLATED, both={"flags": DESCRIPTOR}, local=NOTHING_YET,
                    behind=descriptor(A, len(deflate(A))))))
good("descriptor-both", "sizes behind the data and in local headers too",
     archive(Member("w.npy", both={"flags": DESCRIPTOR}, behind=descriptor(A, len(A)))))
good("zip64", "ZIP64 records and numbers all over a small archive",
     archive(W, Member("v.npy", local=SAVEZ, central={**FULL, "header": FULL32, "disk": FULL16,
                                                          "extra": b"\1\0\x1c\0" + struct.pack("<3QI", len(A), len(A),
                                                                                                     len(W.local_bytes()), 0)}),
             end={"here": FULL16, "count": FULL16, "size": FULL32, "offset": FULL32}, end64={}))
good("zip64-end", "a ZIP64 end record although there is no need, as torch.save writes", archive(W, end64={}))
good("zip64-header", "only a header's place is in the ZIP64 field",
     archive(W, Member("v.npy", central={"header": FULL32, "extra": zip64(len(W.local_bytes()))})))
good("extra", "other extra fields, and padding of too few bytes for one",
     archive(Member("w.npy", local={"extra": b"FB\3\0ZZZ"}, central={"extra": b"UT\5\0\1abcd" + zip64(7) + b"\0\0\0"})))
good("comment", "comments of the archive and of a member",
     archive(Member("w.npy", central={"comment": b"a member"}), comment=b"an archive"))
bad("comment-end", "a comment with another end record in it, which some programs take",
     archive(W, comment=b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 0, 0, 0, 0, 5)))
good("empty", "no member: an end record and nothing else", archive())
good("gaps", "bytes between members, and before the directory", archive(Member("w.npy", behind=bytes(7)), V, before_directory=b"gap"))
good("hidden", "a member that the directory lacks", archive(Member("w.npy", behind=Member("h.npy").local_bytes()), V))

# The end record.
bad("cut", "ends within the directory", archive(W)[:-30])
bad("cut-half", "half of it", archive(W, V)[:300])
bad("cut-first", "the local signature and nothing else", b"PK\3\4")
bad("end-cut", "ends one byte early", archive(W)[:-1])
bad("end-behind", "bytes behind the end record that are no comment", archive(W) + b"\0")
bad("end-none", "long, and without an end record", archive(W)[:-22] + bytes(3000))
bad("end-comment", "a comment that is longer than the file", archive(W, end={"comment": 1}))
bad("end-offset", "a directory beyond the end of the file", archive(W, end={"offset": 0x7FFFFFFF}))
bad("end-offset-less", "bytes between the directory and the end record", archive(W, after_directory=b"x"))
bad("end-size", "a directory that is too long", archive(W, end={"size": 0x7FFFFFFF}))
bad("end-size-wraps", "place and size of the directory wrap around in 64 bits",
    archive(W, end={"size": FULL32, "offset": FULL32}, end64={"size": (1 << 64) - 1, "offset": len(archive(W)) - 22 + 1}))
bad("prefix", "bytes before the archive that its offsets leave out, as of programs that unpack themselves",
    b"PK\3\4" + bytes(60) + archive(W))
bad("disk", "the last part of several", archive(W, end={"disk": 1}))
bad("disk-first", "the directory begins in another part", archive(W, end={"first": 1}))
bad("disk-here", "some members are in other parts", archive(W, V, end={"here": 1}))
bad("disk-member", "a member in another part", archive(Member("w.npy", central={"disk": 1})))
bad("disk-locator", "the ZIP64 end record is in another part", archive(W, end64={}, locator={"disk": 1}))
bad("disks-locator", "two parts, by the locator", archive(W, end64={}, locator={"disks": 2}))
bad("count-more", "more members than the end record says", archive(W, V, end={"here": 1, "count": 1}))
bad("count-less", "fewer members than the end record says", archive(W, V, end={"here": 3, "count": 3}))
bad("count-huge", "2^63 members, claimed",
    archive(W, end={"here": FULL16, "count": FULL16}, end64={"here": 1 << 63, "count": 1 << 63}))
bad("end64-differs", "the end records differ in the number of members", archive(W, end64={"here": 2, "count": 2}))
bad("end64-lost", "a locator that points beyond the end", archive(W, end64={}, locator={"at": 1 << 40}))
bad("end64-elsewhere", "a locator that points at something else", archive(W, end64={}, locator={"at": 0}))
bad("end64-signature", "no ZIP64 end record where the locator says", archive(W, end64={"signature": b"PK\0\0"}))
bad("end64-length", "a ZIP64 end record that is too long", archive(W, end64={"length": 45}))
bad("end64-none", "numbers that should be in a ZIP64 end record, and none there", archive(W, end={"offset": FULL32}))

# The directory.
bad("entry-signature", "no entry where one should be", archive(Member("w.npy", central={"signature": b"PK\1\3"})))
bad("entry-cut", "an entry whose name does not end", archive(W)[:-22 - 5] + archive(W, end={"size": 46})[-22:])
bad("entry-rest", "bytes behind the last entry", archive(W, end={"size": 52}, after_directory=b"x"))
bad("name-nul", "a zero byte in a name", archive(Member("w.npy\0.npy")))
bad("duplicate", "two members of one name", archive(W, V, W))
bad("extra-cut", "an extra field that is longer than all of them", archive(Member("w.npy", central={"extra": b"FB\4\0abc"})))
bad("zip64-cut", "a ZIP64 field without the number that should be there",
    archive(Member("w.npy", central={**FULL, "extra": zip64(len(A))})))
bad("zip64-none", "a size that should be in a ZIP64 field, and none there", archive(Member("w.npy", central=FULL)))
bad("zip64-huge", "a size of 2^64 - 1", archive(Member("w.npy", central={**FULL, "extra": zip64((1 << 64) - 1, (1 << 64) - 1)})))
bad("overlap-same", "two names for one member", archive(W, Member("v.npy", b"", central={"header": 0})))
bad("overlap", "data that run into the next member", archive(Member("w.npy", both={"packed": 141, "bytes": 141}), V))
bad("overlap-nested", "data that hold another member",
    archive(Member("w.npy", b"", both={"packed": len(V.local_bytes()), "bytes": len(V.local_bytes())}), V))
bad("overlap-directory", "data that run into the directory", archive(Member("w.npy", central={"packed": 177, "bytes": 177})))
bad("overlap-extra", "extra fields so long that the data run into the next member",
    archive(W, V).replace(b"\5\0\0\0w.npy", b"\5\0\x40\0w.npy", 1))
bad("header-beyond", "a local header beyond the directory", archive(Member("w.npy", central={"header": 0x10000000})))

# Members that are needed.
bad("header-none", "no local header where the directory says", archive(V, Member("w.npy", local={"signature": b"PK\3\5"})))
bad("local-name", "another name in the local header", archive(Member("w.npy", local={"name": b"v.npy"})))
bad("local-name-longer", "a longer one", archive(Member("w.npy", local={"name": b"w.npyw"})))
bad("local-method", "another method in the local header", archive(Member("w.npy", local={"method": DEFLATED})))
bad("local-encrypted", "encrypted, the local header says", archive(Member("w.npy", local={"flags": ENCRYPTED})))
bad("local-crc", "another checksum in the local header", archive(Member("w.npy", local={"crc": 1})))
bad("local-size", "another size in the local header", archive(Member("w.npy", local={"bytes": 139})))
bad("local-zero", "sizes of zero in the local header, and no data descriptor", archive(Member("w.npy", local=NOTHING_YET)))
bad("local-packed", "another size in the local header's ZIP64 field",
    archive(Member("w.npy", local={**FULL, "extra": zip64(140, 139)})))
bad("local-descriptor", "the same with a data descriptor",
    archive(Member("w.npy", both={"flags": DESCRIPTOR}, local={"packed": 139}, behind=descriptor(A, len(A)))))
bad("encrypted", "an encrypted array", archive(Member("w.npy", both={"flags": ENCRYPTED})))
bad("method-12", "an array compressed by bzip2", archive(Member("w.npy", A, BZIP2)))
bad("method-14", "an array compressed by LZMA", archive(Member("w.npy", A, LZMA)))
bad("sizes-differ", "stored, with two sizes", archive(Member("w.npy", both={"bytes": len(A) - 1})))

# Arrays.
bad("npy-empty", "an array of no bytes", archive(Member("w.npy", b"")))
bad("npy-empty-deflated", "the same, deflated", archive(Member("w.npy", b"", DEFLATED)))
bad("npy-magic", "no array under the name of one", archive(Member("w.npy", b"{'descr': '<f4', }")))
bad("npy-version", "an unknown version", archive(Member("w.npy", A[:6] + b"\4" + A[7:])))
bad("npy-header-cut", "ends within the header", archive(Member("w.npy", A[:100])))
bad("npy-header-cut-deflated", "the same, deflated", archive(Member("w.npy", A[:100], DEFLATED)))
bad("npy-header-huge", "a header of 4 GB, claimed", archive(Member("w.npy", b"\x93NUMPY\2\0\xff\xff\xff\xff")))
bad("npy-header", "a header that is none", archive(V, Member("w.npy", npy("[]"))))
bad("npy-long-double", "an element type that is refused", archive(W, Member("l.npy", npy(literal("<f16"), bytes(48)))))
bad("npy-void-1", "one of several; opens with --view", archive(W, Member("q.npy", npy(literal("|V1"), bytes(3)))))
bad("npy-data-cut", "ends within the data", archive(Member("w.npy", A[:-1])))
bad("npy-data-cut-skipped", "ends within data that are skipped", archive(Member("i.npy", I.packed[:-1])))
bad("npy-data-cut-deflated", "the same, deflated", archive(Member("w.npy", A[:-1], DEFLATED)))
bad("npy-data-huge", "a petabyte, claimed", archive(Member("w.npy", npy(literal(shape="(281474976710656,)")))))
bad("npy-shape", "a shape that overflows", archive(Member("w.npy", npy(literal(shape="(4294967296, 4294967296)")))))

# Data: these open, and fail when the elements are read.
LONG = npy(literal(shape="(300,)"), floats(300))


def damaged(data, at=-1):
    data = bytearray(data)
    data[at] ^= 1
    return bytes(data)


bad("crc-stored", "a wrong bit in the last byte, stored", archive(Member("w.npy", A, packed=damaged(A))))
bad("crc-deflated", "the same, deflated", archive(Member("w.npy", A, DEFLATED, deflate(damaged(A)))))
bad("crc-header", "a wrong bit in the padding of the header",
    archive(Member("w.npy", A, packed=A.replace(b"    \n", b"   \t\n"))))
bad("crc-tail", "a wrong bit behind the data", archive(Member("w.npy", A + b"tail", packed=A + b"tall")))
bad("crc-tail-deflated", "the same, deflated", archive(Member("w.npy", A + b"tail", DEFLATED, deflate(A + b"tall"))))
bad("crc-empty", "a wrong checksum of an array without elements",
    archive(Member("w.npy", npy(literal(shape="(0,)"), b""), both={"crc": 1})))
PETABYTE = npy(literal(shape="(281474976710656,)"))
bad("deflated-huge", "a petabyte, claimed by the header and the archive",
    archive(Member("w.npy", PETABYTE, DEFLATED, both={**FULL, "extra": zip64(128 + 2**50, len(deflate(PETABYTE)))})))
bad("deflated-more", "inflates to more than it should", archive(Member("w.npy", A, DEFLATED, deflate(A + bytes(100000)))))
bad("deflated-one-more", "inflates to a byte more", archive(Member("w.npy", A, DEFLATED, deflate(A + b"\0"))))
bad("deflated-less", "inflates to less than it should", archive(Member("w.npy", LONG, DEFLATED, deflate(LONG[:-1]))))
bad("deflated-less-tail", "the same, where all elements are there",
    archive(Member("w.npy", A + b"tail", DEFLATED, deflate(A + b"tai"))))
bad("deflated-cut", "deflated data that end early", archive(Member("w.npy", LONG, DEFLATED, deflate(LONG)[:-1])))
bad("deflated-behind", "bytes behind the deflated data", archive(Member("w.npy", A, DEFLATED, deflate(A) + b"x")))
bad("deflated-none", "no deflated data at all", archive(Member("w.npy", A, DEFLATED, b"")))
bad("deflated-type", "a block of a type that is none", archive(Member("w.npy", A, DEFLATED, b"\7" + deflate(A)[1:])))
bad("deflated-damaged", "a good block, and one of a type that is none",
    archive(Member("w.npy", LONG, DEFLATED, deflate(LONG[:500], flush=zlib.Z_FULL_FLUSH) + b"\7")))

with open(HERE / "README.md", "w", encoding="utf-8") as readme:
    readme.write("# .npz files\n\nMade by make.py, as is this list. `good-*` opens and reads, `bad-*` is refused, at the latest "
                 "when its elements\nwere read. What exactly is expected of each stands in `tests/unit/npz_test.c`.\n\n"
                 "| file | what it is for |\n|---|---|\n")
    for name, purpose in FILES.items():
        readme.write(f"| {name} | {purpose} |\n")
