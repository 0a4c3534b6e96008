import BlockKernels
import ClusterTrees
import OperatorNetworks
import Testing

@Suite struct NetworkOptionsTests {
  private func error(
    _ model: Model, _ sources: PointSet, receivers: PointSet? = nil,
    _ change: (inout NetworkOptions) -> Void = { _ in }
  ) -> String {
    let networkCase = NetworkCase("wrong", model, sources, receivers: receivers, change)
    do {
      _ = try networkCase.network()
      return ""
    } catch let error as NetworkError {
      return error.description
    } catch {
      return "another error: \(error)"
    }
  }

  @Test(arguments: [Model.mnnH2, .mnnH, .h2nn])
  func aLeafMustDivideTheGrid(model: Model) {
    let text = error(model, .grid([320])) { $0.leaf = 7 }
    #expect(text.contains("320") && text.contains("7"), "\(text)")
  }

  @Test(arguments: [Model.mnnH2, .mnnH, .conv])
  func aCloudIsNoGrid(model: Model) {
    let text = error(model, NetworkCase.cloud(40, dimension: 2, seed: 1))
    #expect(text.contains("`model` \(model.rawValue)") && text.contains("h2nn"), "\(text)")
  }

  @Test func mnnH2NeedsTwoLevels() {
    let text = error(.mnnH2, .grid([10])) { $0.leaf = 5 }
    #expect(text.contains("at least 2 levels") && text.contains("found 1"), "\(text)")
    #expect(error(.mnnH2, .grid([20])).isEmpty)
    let tooFew = error(.mnnH2, .grid([40])) {
      $0.leaf = nil
      $0.levels = 1
    }
    #expect(tooFew.contains("at least 2 levels"), "\(tooFew)")
  }

  @Test(arguments: [Model.mnnH2, .h2nn])
  func leafAndLevelsMustAgree(model: Model) {
    #expect(error(model, .grid([40])) { ($0.leaf, $0.levels) = (5, 3) }.isEmpty)
    let text = error(model, .grid([80])) { ($0.leaf, $0.levels) = (5, 3) }
    #expect(text.contains("`leaf`") && text.contains("`levels`"), "\(text)")
    #expect(error(model, .grid([80])) { $0.levels = 3 }.isEmpty)
    #expect(error(model, .grid([80])) { $0.levels = 5 }.isEmpty)
    #expect(!error(model, .grid([80])) { $0.levels = 7 }.isEmpty)
  }

  @Test(arguments: [Model.mnnH2, .mnnH, .conv])
  func inputsAndOutputsStandAtTheSamePoints(model: Model) {
    let text = error(model, .grid([40]), receivers: .grid([80]))
    #expect(text.contains("`model` \(model.rawValue)") && text.contains("h2nn"), "\(text)")
    #expect(error(model, .grid([40]), receivers: .grid([40])).isEmpty)
  }

  @Test(arguments: Model.allCases)
  func sizesArePositive(model: Model) {
    for value in [0, -1] {
      #expect(error(model, .grid([40])) { $0.channels = value }.contains("`channels` \(value)"))
      #expect(error(model, .grid([40])) { $0.layers = value }.contains("`layers` \(value)"))
      #expect(
        error(model, .grid([40])) { $0.blockWidth = value }.contains("`blockWidth` \(value)"))
      #expect(
        error(model, .grid([40])) { $0.transferLayers = value }.contains(
          "`transferLayers` \(value)"))
      #expect(error(model, .grid([40])) { $0.width = value }.contains("`width` \(value)"))
      if model != .dense { #expect(!error(model, .grid([40])) { $0.leaf = value }.isEmpty) }
    }
  }

  @Test(arguments: [Model.conv, .dense])
  func networksWithoutTreesHaveNoParts(model: Model) {
    #expect(error(model, .grid([40])) { $0.blockWidth = 3 }.contains("`blockWidth`"))
    #expect(error(model, .grid([40])) { $0.transferLayers = 2 }.contains("`transferLayers`"))
    #expect(
      error(model, .grid([40])) { $0.transferActivation = .tanh }.contains("`transferActivation`"))
  }

  /// The transfers of MNN-H end at points, where no function stands.
  @Test func mnnHHasNoPlaceForOneFunction() {
    #expect(!error(.mnnH, .grid([40])) { $0.transferActivation = .tanh }.isEmpty)
    #expect(
      error(.mnnH, .grid([40])) { ($0.transferLayers, $0.transferActivation) = (2, .tanh) }.isEmpty)
  }

  @Test func admissibilitiesAreNumbers() {
    #expect(!error(.h2nn, .grid([40])) { $0.admissibility = -1 }.isEmpty)
    #expect(!error(.h2nn, .grid([40])) { $0.admissibility = .nan }.isEmpty)
  }

  @Test func dimensionsMustAgree() {
    let text = error(.h2nn, .grid([40]), receivers: NetworkCase.cloud(40, dimension: 2, seed: 1))
    #expect(text.contains("dimension"), "\(text)")
  }
}
