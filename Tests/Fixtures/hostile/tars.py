# SPDX-License-Identifier: GPL-2.0-only
# Writes tars that are made to do harm into the folder it is run in: HostileArchiveTests says what each gets.

import tarfile, io, sys
def pax(records, data=b"x", name="up-1/fs/a.c", size=None, typ=b"0", raw=None):
    body = raw if raw is not None else b"".join(rec(k,v) for k,v in records)
    out=b""
    h=tarfile.TarInfo("up-1/PaxHeaders/x"); h.type=b"x"; h.size=len(body)
    out+=h.tobuf(tarfile.USTAR_FORMAT)+body+bytes(-len(body)%512)
    i=tarfile.TarInfo(name); i.size=len(data) if size is None else size; i.type=typ; i.mtime=1700000000
    out+=i.tobuf(tarfile.USTAR_FORMAT)+data+bytes(-len(data)%512)
    return out
def rec(k,v):
    k=k.encode(); v=v if isinstance(v,bytes) else v.encode()
    n=len(k)+len(v)+3; l=n+len(str(n))
    if len(str(l))!=len(str(n)): l=n+len(str(l))
    return b"%d %s=%s\n"%(l,k,v)
def plain(name,data=b"y"):
    i=tarfile.TarInfo(name); i.size=len(data); i.mtime=1700000000
    return i.tobuf(tarfile.USTAR_FORMAT)+data+bytes(-len(data)%512)
end=bytes(1024)
cases={
"path-dotdot":pax([("path","up-1/fs/../../../etc/x")]),
"path-abs":pax([("path","/etc/passwd")]),
"path-nul":pax([("path",b"up-1/fs/a.c\0/../../x")]),
"path-nl":pax([("path","up-1/fs/a\nb")]),
"path-badutf8":pax([("path",b"up-1/fs/\xff\xfe")]),
"path-4000":pax([("path","up-1/fs/"+"x"*4000)]),
"path-40000":pax([("path","up-1/fs/"+"x/"*20000)]),
"path-empty":pax([("path","")]),
"size-neg":pax([("size","-5")]),
"size-huge":pax([("size","9223372036854775807")]),
"size-over":pax([("size","99999999999999999999999999")]),
"size-small":pax([("size","2")],data=b"abcdefgh")+plain("up-1/fs/b.c"),
"size-large":pax([("size","1000")],data=b"ab")+plain("up-1/fs/b.c"),
"size-text":pax([("size","12x")],data=b"ab"),
"size-hex":pax([("size","0x10")],data=b"ab"),
"link-abs":pax([("linkpath","/etc/passwd")],data=b"",typ=b"2"),
"link-dotdot":pax([("linkpath","../../../x")],data=b"",typ=b"2"),
"hard-abs":pax([("linkpath","/etc/passwd")],data=b"",typ=b"1"),
"link-nul":pax([("linkpath",b"a.c\0x")],data=b"",typ=b"2"),
"rec-len-bad":pax(None,raw=b"99999999 path=up-1/fs/zz\n"),
"rec-len-neg":pax(None,raw=b"-5 path=up-1/fs/zz\n"),
"rec-nolen":pax(None,raw=b"path=up-1/fs/zz\n"),
"rec-0":pax(None,raw=b"0 path=up-1/fs/zz\n"),
"rec-nonl":pax(None,raw=b"19 path=up-1/fs/zzz"),
"gnu-sparse-neg":pax([("GNU.sparse.major","1"),("GNU.sparse.minor","0"),("GNU.sparse.name","up-1/fs/s"),("GNU.sparse.realsize","-1")],data=b"1\n0\n5\n"+bytes(506)+b"hello"),
"gnu-sparse-huge":pax([("GNU.sparse.major","1"),("GNU.sparse.minor","0"),("GNU.sparse.name","up-1/fs/s"),("GNU.sparse.realsize",str(1<<62))],data=b"1\n0\n5\n"+bytes(506)+b"hello"),
"gnu-sparse-name-dotdot":pax([("GNU.sparse.major","1"),("GNU.sparse.minor","0"),("GNU.sparse.name","up-1/../../s"),("GNU.sparse.realsize","5")],data=b"1\n0\n5\n"+bytes(506)+b"hello"),
"gnu-sparse-count":pax([("GNU.sparse.major","1"),("GNU.sparse.minor","0"),("GNU.sparse.name","up-1/fs/s"),("GNU.sparse.realsize","5")],data=b"99999999999\n0\n5\n"+bytes(496)+b"hello"),
"global-path":None,
"mtime-huge":pax([("mtime","99999999999999")]),
"mtime-neg":pax([("mtime","-99999999")]),
"hdrcharset":pax([("hdrcharset","BINARY"),("path",b"up-1/fs/\xff")]),
}
g=tarfile.TarInfo("g"); g.type=b"g"; body=rec("path","up-1/fs/glob"); g.size=len(body)
cases["global-path"]=g.tobuf(tarfile.USTAR_FORMAT)+body+bytes(-len(body)%512)+plain("up-1/fs/a.c")
L=tarfile.TarInfo("././@LongLink"); L.type=b"L"
for n,b in (("long-dotdot",b"up-1/fs/../../../x\0"),("long-huge",b"up-1/fs/"+b"y"*100000+b"\0")):
    L.size=len(b); cases[n]=L.tobuf(tarfile.GNU_FORMAT)+b+bytes(-len(b)%512)+plain("up-1/fs/a.c")
L.size=0; cases["long-empty"]=L.tobuf(tarfile.GNU_FORMAT)+plain("up-1/fs/a.c")
i=tarfile.TarInfo("up-1/fs/b"); i.size=5; b=bytearray(i.tobuf(tarfile.GNU_FORMAT)); 
def fix(b):
    b[148:156]=b"        "; s=sum(b); b[148:156]=b"%06o\0 "%s; return bytes(b)
b[124:136]=b"\xff"*12; cases["base256-neg"]=fix(b)+b"hello"+bytes(507)
b[124:136]=b"\x80"+b"\x7f"*11; cases["base256-huge"]=fix(b)+b"hello"+bytes(507)
b[124:136]=b"77777777777\0"; cases["octal-8G"]=fix(b)+b"hello"+bytes(507)
for n,d in cases.items(): open(n+".tar","wb").write(d+end)
