import AllocationCounter
import ClusterTrees
import MessagePassing
import OperatorNetworks
import Testing

@testable import Datasets
@testable import Training

/// Each case is a process of its own, which can initialize MPI.
@Suite("Allocations")
struct AllocationTests {
  @Test("the counter counts")
  func counter() {
    allocation_counter_start()
    let array = [Int](repeating: 1, count: 100)
    let count = allocation_counter_stop()
    #expect(count > 0 && array[50] == 1)
  }

  @Test("a step allocates nothing", arguments: ["h2nn", "mnn-h2", "mix", "conv", "dense"])
  func step(name: String) async {
    await #expect(processExitsWith: .success) { [name] in
      var options = NetworkOptions()
      options.model = name == "mix" ? .mnnH2 : try #require(Model(rawValue: name))
      options.sharing = name == "mix" ? .mix : .own
      options.layers = 2
      var training = TrainingOptions()
      (training.batch, training.shard, training.iterations) = (100, 16, 100)
      training.split = Split(training: 1, validation: 0, test: 0)
      try MPIEnvironment.run { world in
        let network = try Network.build(options, sources: .grid([40]), receivers: nil)
        let plan = StepPlan(
          network, dataGroups: 1, treeRanks: 1, sizes: StepPlan.Sizes(training))
        let grid = try ProcessGrid(dataGroups: 1, treeRanks: 1, on: world)
        let trainer = try MachineBenchmark<Float>(repetitions: 1).trainer(
          network, plan, training, .grid([40]), on: grid)
        // The first steps fill what is kept from step to step.
        for _ in 0..<3 { _ = try trainer.makeStep(on: grid) }
        allocation_counter_start()
        for _ in 0..<10 { _ = try trainer.makeStep(on: grid) }
        let count = allocation_counter_stop()
        print("ALLOC", count)
        try #require(count == 0)
      }
    }
  }
}
