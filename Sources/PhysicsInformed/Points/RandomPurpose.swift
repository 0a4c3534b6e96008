/// What random numbers of this module are for.
enum RandomPurpose {
  static let weights: UInt32 = 0x5049_0001
  static let pool: UInt32 = 0x5049_0002
  static let choice: UInt32 = 0x5049_0003
  static let boundary: UInt32 = 0x5049_0004
}
