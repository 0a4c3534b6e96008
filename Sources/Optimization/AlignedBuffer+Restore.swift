package import BlockKernels
package import MessagePassing

extension AlignedBuffer<Double> {
  /// Takes an array of a saved state.
  package func restore(_ name: String, of arrays: [String: [Double]], count: Int? = nil)
    throws(RunError)
  {
    let wanted = count ?? self.count
    guard let array = arrays[name], array.count == wanted else {
      throw .data(
        "the state of training has \(arrays[name]?.count ?? 0) numbers in `\(name)`, needed are \(wanted)"
      )
    }
    for place in array.indices { self[place] = array[place] }
  }
}
