# SPDX-License-Identifier: GPL-2.0-only
# Writes tarballs that lie, made of that of a good release: releases.py TARBALL
import hashlib, io, json, sys, tarfile

PLAN, LIST = "lrelease/plan.json", "lrelease/origins.jsonl"
with tarfile.open(sys.argv[1]) as tar:
    good = {m.name.split("/", 1)[1]: tar.extractfile(m).read() for m in tar if m.isfile()}


def write(name, files, top="demo-7.4", fix=True):
    files = dict(files)
    if fix:
        # The list says what the files are, as it does of an honest release.
        records = [json.loads(line) for line in files[LIST].splitlines()]
        for record in records:
            record["sha256"] = hashlib.sha256(files[record["path"]]).hexdigest()
        files[LIST] = b"".join(json.dumps(r, sort_keys=True).encode() + b"\n" for r in records)
    with tarfile.open(name + ".tar.xz", "w:xz") as tar:
        for path, data in files.items():
            info = tarfile.TarInfo(f"{top}/{path}")
            info.size, info.mode = len(data), 0o644
            tar.addfile(info, io.BytesIO(data))


def plan(name, old, new):
    assert old in good[PLAN], old
    write(name, {**good, PLAN: good[PLAN].replace(old, new, 1)})


def manifest(tarball, old, new, **more):
    value = json.loads(good[PLAN])
    text = value["recipe"]["demo.toml"]["text"]
    assert old in text, old
    text = text.replace(old, new, 1)
    value["recipe"]["demo.toml"] = {"text": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    value.update(more)
    write(tarball, {**good, PLAN: json.dumps(value).encode()})


def origins(name, change):
    lines = good[LIST].splitlines()
    write(name, {**good, LIST: b"\n".join(change(lines)) + b"\n"}, fix=False)


plan("name", b'"name" : "demo"', b'"name" : "../x"')
manifest("name-and-manifest", 'name = "demo"', 'name = "other"', name="other")
plan("version", b'"version" : "7.4"', b'"version" : "7.5"')
plan("version-slash", b'"version" : "7.4"', b'"version" : "7.4+and.a/b"')
manifest("extras", 'name = "demo"', 'name = "demo"', extras=["x"])
manifest("probe", '[[tree]]', '[modules]\nprobe = "x $(id)"\n[[tree]]')
plan("twice", b'"name" : "demo"', b'"name" : "demo", "name" : "demo"')
write("deep", {**good, PLAN: b"[" * 300000})
write("top", good, top="other-1.0")
origins("list-omits", lambda lines: lines[1:])
origins("list-twice", lambda lines: lines[:1] + lines)
origins("list-up", lambda lines: lines + [lines[0].replace(b'"path":"fs/', b'"path":"../fs/')])
origins("list-garbage", lambda lines: [b"{]"])
origins("list-deep", lambda lines: [b"[" * 300000])
origins("list-empty", lambda lines: [])
