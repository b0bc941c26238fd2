// SPDX-License-Identifier: GPL-2.0-only

import Model
import Testing

@testable import Auditor

/// What make, gcc and clang say, and what it means.
@Suite struct BuildLogTests {
  @Test func causes() {
    for (message, cause, subject) in [
      ("demo_compat.h: No such file or directory", .header, "demo_compat.h"),
      ("'linux/none.h' file not found", .header, "linux/none.h"),
      (
        "implicit declaration of function 'strlcpy'; did you mean 'strscpy'? [-Werror=implicit-function-declaration]",
        .function, "strlcpy"
      ),
      ("implicit declaration of function \u{2018}strlcpy\u{2019}", .function, "strlcpy"),
      ("call to undeclared function 'strlcpy'; ISO C99 and later do not support it", .function, "strlcpy"),
      ("'GFP_NONE' undeclared (first use in this function)", .name, "GFP_NONE"),
      ("use of undeclared identifier 'GFP_NONE'", .name, "GFP_NONE"),
      ("unknown type name 'folio_t'", .type, "folio_t"),
      ("invalid use of undefined type 'struct a'", .type, "struct a"),
      ("'struct page' has no member named 'index'", .member, "index"),
      ("no member named 'index' in 'struct page'", .member, "index"),
      ("'const struct file_operations' has no member named 'mmap_prepare'", .member, "mmap_prepare"),
      ("field designator 'x' does not refer to any field in type 'struct y'", .member, "x"),
      ("too few arguments to function 'bdi_init'", .arguments, "bdi_init"),
      ("too few arguments to function call, expected 4, have 3", .arguments, nil),
      ("passing argument 1 of 'f' from incompatible pointer type [-Werror=…]", .arguments, "f"),
      ("initialization of 'int (*)(void)' from incompatible pointer type 'int (*)(int)'", .arguments, "int (*)(void)"),
      ("redefinition of 'f'", .redefinition, "f"), ("conflicting types for 'f'; have 'int'", .redefinition, "f"),
      ("#error \"undeclared\"", .directive, nil), ("#warning \"no\" [-Werror=cpp]", .directive, nil),
      ("\"no\" [-Werror,-W#warnings]", .directive, nil),
      ("\"DEMO_MAJOR\" is not defined, evaluates to 0 [-Werror=undef]", .name, "DEMO_MAJOR"),
      ("'DEMO_MAJOR' is not defined, evaluates to 0 [-Werror,-Wundef]", .name, "DEMO_MAJOR"),
      ("expected ';' before 'x'", .other, nil),
    ] as [(String, Cause, String?)] {
      let found = Cause.of(message)
      #expect(found.cause == cause && found.subject == subject, "\(message): \(found)")
    }
  }

  @Test func outputOfMake() {
    let log = BuildLog(
      """
      make[1]: Entering directory '/usr/src/linux'
        CC [M]  /tmp/native/fs/demo/a.o
      In file included from /tmp/native/fs/demo/a.c:3:
      /tmp/native/fs/demo/a.h:7:10: fatal error: none.h: No such file or directory
          7 | #include "none.h"
      compilation terminated.
      make[3]: *** [/usr/src/linux/scripts/Makefile.build:229: /tmp/native/fs/demo/a.o] Error 1
        CC [M]  fs/demo/b.o
      fs/demo/b.c: In function 'f':
      fs/demo/b.c:1:2: warning: unused variable 'x'
      fs/demo/b.c:12:2: error: implicit declaration of function 'g'
      fs/demo/b.c:13: error: x: y
      make[3]: *** [scripts/Makefile.build:229: fs/demo/b.o] Error 1
        CC [M]  fs/demo/c.o
      make[3]: *** [scripts/Makefile.build:229: fs/demo/d.o] Error 1
      make[3]: *** No rule to make target 'fs/demo/e.o', needed by 'fs/demo/demo.o'.
      make[3]: *** No rule to make target '/tmp/native/fs/demo/g.c', needed by '/tmp/native/fs/demo/g.o'.  Stop.
      make[3]: *** [scripts/Makefile.build:229: fs/demo/../other/h.o] Error 1
      make[3]: *** No rule to make target 'fs/demo/../compat/Makefile'.  Stop.
      make[2]: *** [scripts/Makefile.build:478: fs/demo] Error 2
      ERROR: modpost: "lost" [fs/demo/demo.ko] undefined!
      make: Target 'fs/demo/' not remade because of errors.
      """, below: "/tmp/native")
    #expect(
      log.failures == [
        "fs/demo/a.o": [.init(file: "fs/demo/a.h", line: 7, text: "none.h: No such file or directory")],
        "fs/demo/b.o": [
          .init(file: "fs/demo/b.c", line: 12, text: "implicit declaration of function 'g'"),
          .init(file: "fs/demo/b.c", line: 13, text: "x: y"),
        ],
        "fs/demo/d.o": [.init(text: "it failed")],
        "fs/demo/e.o": [.init(text: "No rule to make target 'fs/demo/e.o'")],
        "fs/other/h.o": [.init(text: "it failed")],
        "fs/demo/g.o": [.init(text: "No rule to make target 'fs/demo/g.c'")],
      ])
    #expect(log.undefined == ["lost"] && log.missing == ["fs/compat/Makefile"])
    #expect(log.complaint == "make[2]: *** [scripts/Makefile.build:478: fs/demo] Error 2")
  }
}
