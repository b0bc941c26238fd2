// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Testing

@testable import Model

@Suite struct SPDXExpressionTests {
  @Test(arguments: [
    ("GPL-2.0-only", "GPL-2.0-only"),
    ("gpl-2.0-ONLY", "GPL-2.0-only"),
    (" ( MIT ) ", "MIT"),
    ("MIT OR GPL-2.0-only", "GPL-2.0-only OR MIT"),
    ("MIT or GPL-2.0-only", "GPL-2.0-only OR MIT"),
    ("MIT AND (MIT AND ISC)", "ISC AND MIT"),
    ("MIT AND ISC OR Zlib", "(ISC AND MIT) OR Zlib"),
    ("MIT AND (ISC OR Zlib)", "(ISC OR Zlib) AND MIT"),
    ("(GPL-2.0-only WITH Linux-syscall-note) OR MIT", "GPL-2.0-only WITH Linux-syscall-note OR MIT"),
    ("Apache-2.0+", "Apache-2.0+"),
    ("GPL-2.0-or-later WITH gcc-exception-2.0", "GPL-2.0-or-later WITH GCC-exception-2.0"),
    ("LicenseRef-Acme.1 AND MIT", "LicenseRef-Acme.1 AND MIT"),
    ("DocumentRef-spdx-1:LicenseRef-x", "DocumentRef-spdx-1:LicenseRef-x"),
    ("MIT WITH AdditionRef-x", "MIT WITH AdditionRef-x"),
  ])
  func isRead(_ text: String, _ canonical: String) throws {
    #expect(try SPDXExpression(text).text == canonical)
    // What it writes it reads, to the same.
    #expect(try SPDXExpression(canonical).text == canonical)
  }

  @Test(arguments: [
    ("", "it names no licence"),
    ("GPL-2.0-only OR", "a licence is missing after 'OR'"),
    ("AND MIT", "a licence is missing before 'AND'"),
    ("MIT OR OR ISC", "a licence is missing between 'OR' and 'OR'"),
    ("MIT ISC", "'ISC' follows without AND, OR or WITH"),
    ("MIT/ISC", "SPDX has no licence 'MIT/ISC'"),
    ("MIT, ISC", "SPDX has no licence 'MIT,'"),
    ("(MIT", "'(' is not closed"),
    ("MIT)", "')' closes nothing"),
    ("()", "a licence is missing between '(' and ')'"),
    ("MIT Or ISC", "'Or' follows without AND, OR or WITH"),
    ("(MIT OR ISC) WITH GCC-exception-3.1", "WITH follows ')'; an exception belongs to one licence"),
    ("MIT WITH", "an exception is missing after 'WITH'"),
    ("MIT WITH ISC", "'ISC' after WITH is a licence, not an exception"),
    ("Linux-syscall-note", "'Linux-syscall-note' is an exception, not a licence"),
    ("NotALicense", "SPDX has no licence 'NotALicense'"),
    ("NOASSERTION", "SPDX has no licence 'NOASSERTION'"),
    ("LicenseRef-", "SPDX has no licence 'LicenseRef-'"),
    ("LicenseRef-a_b", "SPDX has no licence 'LicenseRef-a_b'"),
    ("GPL-2.0", "SPDX has deprecated 'GPL-2.0'"),
    ("GPL-2.0+", "SPDX has deprecated 'GPL-2.0+'"),
    ("GPL-2.0-only+", "'GPL-2.0-only+' says twice which versions are meant"),
    ("MIT\u{0}", "SPDX has no licence 'MIT\u{0}'"),
    ("ＭＩＴ", "SPDX has no licence 'ＭＩＴ'"),
  ])
  func isRefused(_ text: String, _ reason: String) {
    let fault = #expect(throws: SPDXExpression.Fault.self) { try SPDXExpression(text) }
    #expect(fault?.reason == reason)
  }

  @Test(arguments: [
    ("GPLv2", "did you mean 'GPL-2.0-only'?"), ("GPL-2.0-onyl", "did you mean 'GPL-2.0-only'?"),
    ("Apache2", "did you mean 'Apache-2.0'?"), ("MIT WITH Linux-syscal-note", "did you mean 'Linux-syscall-note'?"),
    ("LGPL-2.1+", "write LGPL-2.1-or-later"), ("GPL-2.0-only+", "write GPL-2.0-or-later"),
    ("GPL-2.0-with-GCC-exception", "write GPL-2.0-or-later WITH GCC-exception-2.0"),
  ])
  func advises(_ text: String, _ advice: String) {
    let fault = #expect(throws: SPDXExpression.Fault.self) { try SPDXExpression(text) }
    #expect(fault?.advice == advice)
  }

  /// As the tags of the kernel have them.
  @Test(arguments: [
    ("GPL-2.0", "GPL-2.0-only"), ("GPL-2.0+", "GPL-2.0-or-later"), ("LGPL-2.1", "LGPL-2.1-only"),
    ("(GPL-2.0 WITH Linux-syscall-note) OR MIT", "GPL-2.0-only WITH Linux-syscall-note OR MIT"),
    ("GPL-2.0-only+", "GPL-2.0-or-later"), ("eCos-2.0", "eCos-2.0"),
  ])
  func deprecatedNamesAreReadLeniently(_ text: String, _ canonical: String) throws {
    #expect(try SPDXExpression(text, leniently: true).text == canonical)
  }

  @Test func deepParenthesesEnd() throws {
    let deep = String(repeating: "(", count: 100_000) + "MIT" + String(repeating: ")", count: 100_000)
    #expect(throws: SPDXExpression.Fault.self) { try SPDXExpression(deep) }
    let usual = String(repeating: "(", count: 32) + "MIT" + String(repeating: ")", count: 32)
    #expect(try SPDXExpression(usual).text == "MIT")
  }

  /// DEP 5 has no parentheses: a comma binds less than 'or'.
  @Test(arguments: [
    ("GPL-2.0-only WITH Linux-syscall-note", "GPL-2.0-only with Linux-syscall-note exception"),
    ("MIT OR ISC", "ISC or MIT"), ("MIT AND ISC", "ISC and MIT"), ("(MIT OR ISC) AND Zlib", "ISC or MIT, and Zlib"),
    ("MIT AND ISC OR Zlib", "ISC and MIT or Zlib"),
  ])
  func debianHasItsOwnForm(_ text: String, _ debian: String) throws {
    #expect(try SPDXExpression(text).debianText == debian)
  }

  @Test func namesAreThoseOfTexts() throws {
    let expression = try SPDXExpression("GPL-2.0-only WITH Linux-syscall-note OR (MIT AND GPL-2.0-only)")
    #expect(expression.names == ["GPL-2.0-only", "Linux-syscall-note", "MIT"])
    #expect(expression.licences.map(\.text) == ["GPL-2.0-only", "GPL-2.0-only WITH Linux-syscall-note", "MIT"])
  }

  @Test func textsAreThere() {
    for name in ["GPL-2.0-only", "GPL-2.0-or-later", "LGPL-2.1-or-later", "GPL-1.0+", "MIT", "Linux-syscall-note"] {
      #expect((LicenceData.text(of: name)?.count ?? 0) > 400, "\(name)")
    }
    #expect(LicenceData.text(of: "spdx.txt") == nil)
    #expect(LicenceData.text(of: "HPND") == nil)
    #expect(LicenceData.licenceNames.count > 600 && LicenceData.exceptionNames.count > 60)
  }

  @Test func whatNobodyChecksStaysAsItIs() {
    #expect(SPDXExpression.stated("GPL, see COPYING").text == "GPL, see COPYING")
    #expect(SPDXExpression.all(of: [.stated("as is"), .stated("MIT")]).text == "MIT AND (as is)")
    #expect(SPDXExpression.stated("GPL-2.0").text == "GPL-2.0-only")
  }
}
