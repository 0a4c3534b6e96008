extension TrainingOptions {
  /// Returns a remark if a batch is larger than the training part; nil if none is.
  ///
  /// The samples of a step are the next ones of an endless sequence of shuffled epochs, so that the step is still defined.
  func batchRemark(training count: Int) -> String? {
    guard largestBatch > count else { return nil }
    return
      "`batch`: \(largestBatch) samples of a step are more than the \(count) of the training part, some of which it "
      + "takes several times"
  }
}

extension RunOptions {
  /// Returns a remark if the run ends before the step after which it should stop; nil if it does not.
  func stopRemark(steps: Int) -> String? {
    guard let stopAfter, stopAfter > steps else { return nil }
    return "`stopAfter` \(stopAfter): the run ends after step \(steps)"
  }
}
