// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Operations

@Suite struct OBSPackageTests {
  @Test(arguments: [
    ("Name: a\n%if 1\n%endif\n", []),
    ("%if \"@BUILD_FLAVOR@\" == \"kmp\"\nName: a-kmp\n%else\nName: a\n%endif\n", ["kmp"]),
    (
      """
      %global flavor @BUILD_FLAVOR@%{nil}
      %define other something
      %if "%{flavor}" == "" || "%{flavor}" == "tools"
      %elif "%flavor" != "dkms"
      %endif
      %if "%{other}" == "elsewhere"
      %endif
      # %if "%{flavor}" == "in-a-comment"
      """, ["dkms", "tools"]
    ),
    // Nothing that would be markup in _multibuild.
    ("%if \"@BUILD_FLAVOR@\" == \"</flavor>\"\n", []),
  ])
  func flavoursAreThoseThatASpecKnows(spec: String, flavours: [String]) {
    #expect(OBSPackage.flavours(ofSpec: spec) == flavours)
  }
}
