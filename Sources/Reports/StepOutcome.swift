// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model
import Verdicts

/// A step of a verdict as an export tells of it.
struct StepOutcome {
  var step: Verdict.Step
  /// Told apart where a step comes twice: `unload`, `unload-2`.
  var name: String
  var began: Timestamp
  /// The verdict is about this step: its result is that of the verdict.
  var decidesVerdict: Bool
}

extension Verdict {
  /// The steps, and after them the one that the verdict names where it never came to its end, such as a boot whose guest
  /// was gone. Empty where something else kept it from beginning.
  var stepOutcomes: [StepOutcome] {
    var steps = steps
    var deciding = result == .pass ? nil : steps.firstIndex { !$0.passed }
    if result != .pass, deciding == nil, let step {
      let rest = max(0, seconds - steps.reduce(0) { $0 + $1.seconds })
      deciding = steps.count
      steps.append(Step(name: step, seconds: (rest * 100).rounded() / 100, passed: false))
    }
    var counts: [Step.Name: Int] = [:]
    var elapsed = 0.0
    return steps.enumerated().map { index, step in
      defer { elapsed += step.seconds }
      let count = counts[step.name, default: 0] + 1
      counts[step.name] = count
      return StepOutcome(
        step: step, name: step.name.rawValue + (count == 1 ? "" : "-\(count)"),
        began: Timestamp(seconds: started + Int64(elapsed)), decidesVerdict: index == deciding)
    }
  }
}
