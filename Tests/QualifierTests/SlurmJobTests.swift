// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Qualifier

/// A job of another cluster is asked for there.
@Suite struct SlurmJobTests {
  @Test(
    arguments: [
      ("17", "17", nil), ("17;north", "17", "north"), ("17;", "17", nil), ("", nil, nil), ("none", nil, nil),
      ("-1", nil, nil), ("1x;north", nil, nil),
    ]) func aJobKnowsItsCluster(text: String, number: String?, cluster: String?)
  {
    let job = Slurm.Job(text)
    #expect(job?.number == number && job?.cluster == cluster)
    #expect(job.flatMap { Slurm.Job($0.text)?.description } == job?.description)
  }

  @Test(
    arguments: [
      (["--clusters=north"], "north"), (["--partition=x", "-M", "north"], "north"), (["-Mnorth"], "north"),
      (["--clusters", "a,b", "--mem=1"], "a,b"), (["--cluster=a", "--clusters=b"], "b"), (["--mem=1"], nil),
      (["-M"], nil), ([], nil),
    ]) func clustersAreWhereTheOptionsOfSbatchSay(options: [String], clusters: String?)
  {
    #expect(Slurm().clusters(in: options) == clusters)
  }
}
