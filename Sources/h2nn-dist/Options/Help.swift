import Training

/// The texts of `--help`.
enum Help {
  static let program =
    """
    h2nn-dist trains neural networks with the structure of H²-matrices, on one core or on a cluster.

    Usage: h2nn-dist VERB [options]          one process
           mpirun -n P h2nn-dist VERB …      P ranks; results do not depend on P

    Verbs:
    \(Verbs.all.map { "  \($0.name.padded(to: 10))\($0.summary)" }.joined(separator: "\n"))

    h2nn-dist VERB --help explains a verb. h2nn-dist --version prints the version.

    Exit status: 0 done; 64 wrong command line or configuration; 65 wrong content of a file; 66 a file is
    missing; 70 training diverged, a system was not solved, or the program failed; 73 a file cannot be created;
    74 input or output failed; 75 stopped early with a checkpoint, run again to continue.
    """

  /// Returns the help of a verb.
  static func text(_ verb: Verb) -> String {
    let positional = verb.positional.map { " \($0)" } ?? ""
    let required = verb.required.map { name in
      " --\(name) \(verb.options.first { $0.name == name }?.value ?? "")"
    }.joined()
    var lines = [
      "\(verb.summary)", "", "Usage: h2nn-dist \(verb.name)\(positional)\(required) [options]",
    ]
    for (title, options) in verb.groups {
      lines += ["", "\(title):"]
      for option in options {
        let head = "  --\(option.name)\(option.value.map { " \($0)" } ?? "")"
        let standard = option.standard.map { " (\($0))" } ?? ""
        lines.append("\(head.padded(to: 26)) \(option.help)\(standard)")
      }
    }
    lines += ["", "Defaults stand in parentheses. Grid points have unit spacing 1/N on [0, 1]."]
    return lines.joined(separator: "\n")
  }
}

extension String {
  /// Returns the text with blanks up to a width.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }

  /// Returns the text with blanks before it, up to a width.
  func aligned(to width: Int) -> String {
    String(repeating: " ", count: Swift.max(0, width - count)) + self
  }
}
