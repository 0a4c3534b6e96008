/// The names of settings in texts of the libraries, which know no command line.
///
/// A library writes a setting as its property is called, in backticks: `lower `learningRate``. The program says
/// how it is given: `lower --learning-rate`.
enum OptionNames {
  /// The options of all verbs.
  private static let known = Set(Verbs.all.flatMap(\.options).map(\.name))

  /// Writes the settings that a text names as options.
  ///
  /// - Parameter text: What a library says.
  /// - Returns: The text with options. Words in backticks that name none stay as they are.
  static func spelled(_ text: String) -> String {
    text.replacing(/`([a-zA-Z]+)`/) { match in
      let name = option(of: match.1)
      return known.contains(name) ? "--\(name)" : String(match.0)
    }
  }

  /// Returns the name of the option that sets a property: `learning-rate` of `learningRate`.
  private static func option(of property: some StringProtocol) -> String {
    property.reduce(into: "") { name, letter in
      name += letter.isUppercase ? "-\(letter.lowercased())" : "\(letter)"
    }
  }
}
