/// A point on its way into a box: its position along the split, and its original index.
///
/// The index breaks ties, so that any two points differ, and the parts of a split do not depend on
/// the order in which points are compared.
struct SplitItem {
  var key: Double
  let index: Int32

  static func < (left: SplitItem, right: SplitItem) -> Bool {
    left.key < right.key || (left.key == right.key && left.index < right.index)
  }
}

extension [SplitItem] {
  /// Rearranges a range such that at each cut all items before are less than all items from it on.
  ///
  /// - Complexity: O(range · log(cuts)) on average, one further factor log(range) at worst.
  mutating func partition(_ range: Range<Int>, at cuts: ArraySlice<Int>) {
    guard !cuts.isEmpty else { return }
    let middle = cuts.startIndex + cuts.count / 2
    select(range, cut: cuts[middle])
    partition(range.lowerBound..<cuts[middle], at: cuts[..<middle])
    partition(cuts[middle]..<range.upperBound, at: cuts[(middle + 1)...])
  }

  /// Quickselect, with a sort for the rare range on which it makes no progress.
  private mutating func select(_ range: Range<Int>, cut: Int) {
    var (low, high) = (range.lowerBound, range.upperBound)
    guard low < cut, cut < high else { return }
    var rounds = 4 * (Int.bitWidth - range.count.leadingZeroBitCount)
    while high - low > 12 {
      guard rounds > 0 else {
        self[low..<high].sort { $0 < $1 }
        return
      }
      rounds -= 1
      let pivot = medianOfThree(low, low + (high - low) / 2, high - 1)
      var (i, j) = (low, high - 1)
      while i <= j {
        while self[i] < pivot { i += 1 }
        while pivot < self[j] { j -= 1 }
        if i <= j {
          swapAt(i, j)
          i += 1
          j -= 1
        }
      }
      // Now low...j are at most, and i..<high at least, the pivot; between them there is only it.
      if cut <= j {
        high = j + 1
      } else if cut >= i {
        low = i
      } else {
        return
      }
    }
    sortSmall(low..<high)
  }

  private func medianOfThree(_ a: Int, _ b: Int, _ c: Int) -> SplitItem {
    let (x, y, z) = (self[a], self[b], self[c])
    if x < y { return y < z ? y : (x < z ? z : x) }
    return x < z ? x : (y < z ? z : y)
  }

  private mutating func sortSmall(_ range: Range<Int>) {
    for end in range.dropFirst() {
      let item = self[end]
      var hole = end
      while hole > range.lowerBound, item < self[hole - 1] {
        self[hole] = self[hole - 1]
        hole -= 1
      }
      self[hole] = item
    }
  }
}
