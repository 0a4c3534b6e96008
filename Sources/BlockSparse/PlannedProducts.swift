import BlockKernels

/// One product of a plan: which kernel, and where its matrices begin.
@usableFromInline struct PlannedProduct: Sendable {
  @usableFromInline let kernel: Int32
  @usableFromInline let a: Int
  @usableFromInline let b: Int
  @usableFromInline let c: Int
}

/// Which boxes that a layer writes, or reads, are computed.
public enum LayerPart: Sendable {
  /// All of them.
  case all
  /// Those that need no data of other ranks.
  case interior
  /// The others.
  case boundary

  /// Returns the part of an order that has `interior` items first.
  @inline(__always)
  func range(of count: Int, interior: Int) -> Range<Int> {
    switch self {
    case .all: 0..<count
    case .interior: 0..<interior
    case .boundary: interior..<count
    }
  }
}

/// A box that a layer writes: where its data begin.
struct PlannedRow: Sendable {
  /// Its values, their gradients, and the values of an addend.
  let values: Int
  let gradients: Int
  let addend: Int
  /// Its biases among the parameters, if it has any.
  let bias: Int
  let channels: Int
}

/// Products in the order of their execution, grouped by row or by source.
struct ProductList: Sendable {
  private(set) var products: [PlannedProduct] = []
  private(set) var starts: [Int] = [0]
  /// How far the products reach in the storage of their matrices.
  private(set) var reach = (a: 0, b: 0, c: 0)

  /// Adds a product with a kernel of a shape.
  mutating func append(_ product: PlannedProduct, _ shape: ProductShape) {
    products.append(product)
    reach.a = max(reach.a, product.a + shape.extentA)
    reach.b = max(reach.b, product.b + shape.extentB)
    reach.c = max(reach.c, product.c + shape.extentC)
  }

  mutating func closeGroup() { starts.append(products.count) }
}
