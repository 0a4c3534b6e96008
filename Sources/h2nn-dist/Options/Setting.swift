import MessagePassing
import Training

/// An option of the command line that sets a property of an options structure.
///
/// The default that the help shows is read off the structure, so that it is written down once.
struct Setting<Options: Sendable>: Sendable {
  typealias Path<Value> = any WritableKeyPath<Options, Value> & Sendable
  typealias Reader = @Sendable (Arguments, inout Options) throws(RunError) -> Void

  let name: String
  /// What stands for the value in the help; nil for a switch.
  let value: String?
  let help: String
  /// Returns the default as the help shows it; nil for none.
  let standard: @Sendable (Options) -> String?
  /// Sets the property, if the option is given.
  let read: Reader

  /// Creates a setting.
  ///
  /// - Parameters:
  ///   - name: The name without dashes.
  ///   - value: What stands for the value in the help.
  ///   - help: What it does.
  ///   - path: The property.
  ///   - standard: The default in words, where the value of the property says nothing to a reader.
  ///   - shown: Returns the text of a value.
  ///   - parse: Returns the value that is given; nil if the option is not.
  init<Value>(
    _ name: String, _ value: String?, _ help: String, _ path: Path<Value>,
    standard: String? = nil, shown: @escaping @Sendable (Value) -> String? = { "\($0)" },
    parse: @escaping @Sendable (Arguments) throws(RunError) -> Value?
  ) {
    self.name = name
    self.value = value
    self.help = help
    self.standard = { standard ?? shown($0[keyPath: path]) }
    read = { (arguments, options) throws(RunError) in
      if let value = try parse(arguments) { options[keyPath: path] = value }
    }
  }

  /// The option, with its default in the given options.
  func spec(_ options: Options) -> OptionSpec {
    OptionSpec(name, value, help, standard: standard(options))
  }

  // MARK: Kinds of values

  /// An integer.
  static func integer(
    _ name: String, _ value: String, _ help: String, _ path: Path<Int>, atLeast least: Int = 1,
    atMost most: Int = Int(Int32.max)
  ) -> Setting {
    Setting(name, value, help, path) { (arguments) throws(RunError) in
      try arguments.integer(name, atLeast: least, atMost: most)
    }
  }

  /// An integer that may be missing.
  static func integer(
    _ name: String, _ value: String, _ help: String, _ path: Path<Int?>, atLeast least: Int = 1,
    atMost most: Int = Int(Int32.max), standard: String? = nil
  ) -> Setting {
    Setting(name, value, help, path, standard: standard, shown: { $0.map { "\($0)" } }) {
      (arguments) throws(RunError) in
      // Nil means that the option is not given, which differs from a value that is nil.
      try arguments.integer(name, atLeast: least, atMost: most).map { .some($0) }
    }
  }

  /// A number.
  static func real(
    _ name: String, _ value: String, _ help: String, _ path: Path<Double>,
    _ range: ClosedRange<Double>
  ) -> Setting {
    Setting(name, value, help, path, shown: Voice.exact) { (arguments) throws(RunError) in
      try arguments.real(name, range)
    }
  }

  /// A number that may be missing.
  static func real(
    _ name: String, _ value: String, _ help: String, _ path: Path<Double?>,
    _ range: ClosedRange<Double>, standard: String
  ) -> Setting {
    Setting(name, value, help, path, standard: standard) { (arguments) throws(RunError) in
      try arguments.real(name, range).map { .some($0) }
    }
  }

  /// Two numbers, the smaller one first.
  static func interval(
    _ name: String, _ value: String, _ help: String, _ path: Path<ClosedRange<Double>>
  ) -> Setting {
    Setting(
      name, value, help, path,
      shown: { "\(Voice.exact($0.lowerBound)),\(Voice.exact($0.upperBound))" }
    ) { (arguments) throws(RunError) in try arguments.interval(name) }
  }

  /// One of the cases of an enumeration.
  static func choice<Value: RawRepresentable & CaseIterable>(
    _ name: String, _ value: String, _ help: String, _ path: Path<Value>
  ) -> Setting where Value.RawValue == String, Value: SendableMetatype {
    Setting(name, value, help, path, shown: { $0.rawValue }) { (arguments) throws(RunError) in
      try arguments.choice(name, Value.self)
    }
  }

  /// One of the cases of an enumeration, or none.
  static func choice<Value: RawRepresentable & CaseIterable>(
    _ name: String, _ value: String, _ help: String, _ path: Path<Value?>, standard: String
  ) -> Setting where Value.RawValue == String, Value: SendableMetatype {
    Setting(name, value, help, path, standard: standard) { (arguments) throws(RunError) in
      try arguments.choice(name, Value.self).map { .some($0) }
    }
  }

  /// A text.
  static func text(
    _ name: String, _ value: String, _ help: String, _ path: Path<String>
  ) -> Setting {
    Setting(name, value, help, path) { $0.text(name) }
  }

  /// A switch.
  static func flag(_ name: String, _ help: String, _ path: Path<Bool>) -> Setting {
    Setting(name, nil, help, path, shown: { _ in nil }) { $0.has(name) ? true : nil }
  }

  /// Ascending fractions from 0 to 1, or `none`.
  static func fractions(
    _ name: String, _ value: String, _ help: String, _ path: Path<[Double]>
  ) -> Setting {
    Setting(
      name, value, help, path,
      shown: { $0.isEmpty ? "none" : $0.map(Voice.exact).joined(separator: ",") }
    ) { (arguments) throws(RunError) in try arguments.fractions(name) }
  }
}

extension [OptionSpec] {
  /// The options of settings, with their defaults in the given options.
  init<Options>(_ settings: [Setting<Options>], of options: Options) {
    self = settings.map { $0.spec(options) }
  }
}

extension Arguments {
  /// Sets the properties whose options are given.
  ///
  /// - Parameters:
  ///   - settings: The options.
  ///   - options: The structure to be changed.
  /// - Throws: `RunError` (64) if a text is no value of its option.
  func read<Options>(
    _ settings: [Setting<Options>], into options: inout Options
  ) throws(RunError) {
    for setting in settings { try setting.read(self, &options) }
  }
}
