// swift-tools-version: 6.2
import PackageDescription

/// The compiler settings that every target shares.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  // `unsafe` marks each use of a pointer, so that a reviewer finds it.
  .strictMemorySafety(),
  // Functions of ours may return spans.
  .enableExperimentalFeature("Lifetimes"),
  // A file sees the members of what it imports, and of nothing else.
  .enableUpcomingFeature("MemberImportVisibility"),
  // A C module stays behind the module that wraps it.
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]

/// The small-matrix library exists for x86-64 only; without this trait OpenBLAS serves instead.
let xsmm: Target.Dependency = .target(name: "CXSMM", condition: .when(traits: ["LIBXSMM"]))

/// Makes one module of `Sources/`.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// Makes the test bundle of one module.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
  name: "h2nn-dist",
  products: [.executable(name: "h2nn-dist", targets: ["h2nn-dist"])],
  traits: [
    .trait(name: "LIBXSMM", description: "Small matrix products by libxsmm."),
    .default(enabledTraits: ["LIBXSMM"]),
  ],
  targets: [
    // MARK: C libraries
    .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "CHDF5", pkgConfig: "hdf5-openmpi", providers: [.apt(["libhdf5-openmpi-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CXSMM", pkgConfig: "libxsmm", providers: [.apt(["libxsmm-dev"])]),
    .systemLibrary(name: "CProcessor"),
    .systemLibrary(name: "CFFTW", pkgConfig: "fftw3", providers: [.apt(["libfftw3-dev"])]),

    // MARK: Modules
    module("MessagePassing", ["CMPI"]),
    module("ParallelHDF5", ["CHDF5", "CMPI", "MessagePassing"]),
    module("BlockKernels", ["COpenBLAS", "CProcessor", xsmm]),
    module("SpecialFunctions", []),
    module("KrylovMethods", ["BlockKernels", "MessagePassing"]),
    module("ClusterTrees", []),
    module("BlockSparse", ["BlockKernels", "ClusterTrees"]),
    module("Optimization", ["BlockSparse", "BlockKernels", "KrylovMethods", "MessagePassing"]),
    module(
      "OperatorNetworks", ["BlockSparse", "BlockKernels", "ClusterTrees", "SpecialFunctions"]),
    module(
      "NetworkExecution", ["OperatorNetworks", "BlockSparse", "BlockKernels", "MessagePassing"]),
    module("OperatorProblems", ["BlockKernels", "ClusterTrees", "SpecialFunctions", "CFFTW"]),
    module("Datasets", ["ParallelHDF5", "MessagePassing", "ClusterTrees", "BlockKernels"]),
    module(
      "SparseMatrices", ["ParallelHDF5", "MessagePassing", "BlockKernels", "SpecialFunctions"]),
    module(
      "Preconditioners", ["SparseMatrices", "KrylovMethods", "BlockKernels", "MessagePassing"]),
    module(
      "Checkpoints",
      [
        "NetworkExecution", "OperatorNetworks", "BlockSparse", "BlockKernels", "ParallelHDF5",
        "MessagePassing",
      ]),
    module("Regressions", ["Datasets", "BlockKernels", "MessagePassing"]),
    module("HierarchicalMatrices", ["BlockKernels", "ClusterTrees"]),
    module(
      "Factorization",
      [
        "Preconditioners", "SparseMatrices", "Optimization", "KrylovMethods", "Checkpoints",
        "ParallelHDF5", "NetworkExecution", "OperatorNetworks", "BlockSparse", "BlockKernels",
        "ClusterTrees",
        "MessagePassing",
      ]),
    module(
      "Training",
      [
        "Checkpoints", "Regressions", "Datasets", "NetworkExecution", "OperatorNetworks",
        "BlockSparse",
        "BlockKernels", "ClusterTrees", "ParallelHDF5", "MessagePassing",
      ]),
    module(
      "PhysicsInformed",
      ["Checkpoints", "ParallelHDF5", "Optimization", "BlockKernels", "MessagePassing"]),

    // MARK: Program
    .executableTarget(
      name: "h2nn-dist",
      dependencies: [
        "Training", "Checkpoints", "Regressions", "Datasets", "NetworkExecution",
        "OperatorNetworks",
        "OperatorProblems", "Factorization", "PhysicsInformed", "Preconditioners", "SparseMatrices",
        "KrylovMethods", "BlockSparse", "BlockKernels", "ClusterTrees",
        "ParallelHDF5", "MessagePassing",
      ],
      swiftSettings: settings),

    // MARK: Tests
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .target(
      name: "TestSupport",
      dependencies: [
        "BlockKernels", "BlockSparse", "ClusterTrees", "NetworkExecution", "OperatorNetworks",
      ],
      path: "Tests/TestSupport", swiftSettings: settings),
    .target(
      name: "CheckSupport", dependencies: ["BlockKernels", "MessagePassing"],
      path: "Tests/CheckSupport", swiftSettings: settings),
    .executableTarget(
      name: "DistributedChecks",
      dependencies: ["MessagePassing", "ParallelHDF5", "SparseMatrices"],
      path: "Tests/DistributedChecks", swiftSettings: settings),
    .executableTarget(
      name: "NetworkChecks",
      dependencies: [
        "NetworkExecution", "OperatorNetworks", "BlockSparse", "BlockKernels", "ClusterTrees",
        "Datasets", "MessagePassing", "TestSupport", "Training",
      ],
      path: "Tests/NetworkChecks", swiftSettings: settings),
    .executableTarget(
      name: "KrylovChecks",
      dependencies: [
        "CheckSupport", "Preconditioners", "SparseMatrices", "KrylovMethods", "BlockKernels",
        "MessagePassing",
      ],
      path: "Tests/KrylovChecks", swiftSettings: settings),
    .executableTarget(
      name: "FactorChecks",
      dependencies: [
        "CheckSupport", "Factorization", "SparseMatrices", "KrylovMethods", "NetworkExecution",
        "OperatorNetworks", "BlockSparse", "BlockKernels", "ClusterTrees", "MessagePassing",
      ],
      path: "Tests/FactorChecks", swiftSettings: settings),
    .executableTarget(
      name: "RefinementChecks",
      dependencies: [
        "CheckSupport", "Factorization", "SparseMatrices", "NetworkExecution", "OperatorNetworks",
        "BlockSparse",
        "BlockKernels", "ClusterTrees", "KrylovMethods", "MessagePassing",
      ],
      path: "Tests/RefinementChecks", swiftSettings: settings),
    .executableTarget(
      name: "PhysicsInformedChecks",
      dependencies: [
        "CheckSupport", "PhysicsInformed", "Optimization", "BlockKernels", "MessagePassing",
      ],
      path: "Tests/PhysicsInformedChecks", swiftSettings: settings),
    tests("MessagePassingTests", ["DistributedChecks", "MessagePassing", "TestSupport"]),
    tests(
      "ParallelHDF5Tests", ["ParallelHDF5", "MessagePassing", "DistributedChecks", "TestSupport"]),
    tests("BlockKernelsTests", ["BlockKernels"]),
    tests(
      "KrylovMethodsTests",
      [
        "KrylovMethods", "KrylovChecks", "BlockKernels", "MessagePassing", "AllocationCounter",
        "TestSupport",
      ]),
    tests("ClusterTreesTests", ["ClusterTrees"]),
    tests("SpecialFunctionsTests", ["SpecialFunctions", "TestSupport"]),
    tests("BlockSparseTests", ["BlockSparse", "BlockKernels", "ClusterTrees"]),
    tests(
      "OperatorNetworksTests",
      [
        "OperatorNetworks", "NetworkExecution", "BlockSparse", "BlockKernels", "ClusterTrees",
        "MessagePassing", "NetworkChecks", "TestSupport",
      ]),
    tests(
      "NetworkExecutionTests",
      [
        "NetworkExecution", "OperatorNetworks", "BlockSparse", "BlockKernels", "ClusterTrees",
        "MessagePassing", "TestSupport",
      ]),
    tests(
      "OperatorProblemsTests",
      ["OperatorProblems", "BlockKernels", "ClusterTrees", "SpecialFunctions", "TestSupport"]),
    tests("DatasetsTests", ["Datasets"]),
    tests(
      "HierarchicalMatricesTests",
      [
        "HierarchicalMatrices", "BlockKernels", "ClusterTrees", "OperatorProblems",
        "SpecialFunctions", "TestSupport",
      ]),
    tests(
      "SparseMatricesTests",
      [
        "SparseMatrices", "BlockKernels", "MessagePassing", "ParallelHDF5", "DistributedChecks",
        "TestSupport",
      ]),
    tests(
      "FactorizationTests",
      [
        "Factorization", "FactorChecks", "RefinementChecks", "SparseMatrices", "Optimization",
        "OperatorNetworks",
        "KrylovMethods", "BlockSparse", "BlockKernels", "ClusterTrees", "MessagePassing",
        "AllocationCounter", "TestSupport",
      ]),
    tests(
      "PreconditionersTests",
      [
        "Preconditioners", "SparseMatrices", "KrylovMethods", "MessagePassing", "KrylovChecks",
        "AllocationCounter", "TestSupport",
      ]),
    tests(
      "CheckpointsTests",
      [
        "Checkpoints", "NetworkExecution", "OperatorNetworks", "BlockSparse", "BlockKernels",
        "ParallelHDF5", "MessagePassing", "TestSupport",
      ]),
    tests(
      "TrainingTests",
      [
        "Training", "Checkpoints", "Regressions", "Datasets", "NetworkExecution",
        "OperatorNetworks", "BlockSparse", "BlockKernels", "ClusterTrees", "MessagePassing",
        "AllocationCounter", "TestSupport",
      ]),
    tests(
      "PhysicsInformedTests",
      ["PhysicsInformed", "PhysicsInformedChecks", "BlockKernels", "MessagePassing", "TestSupport"]),
    tests(
      "CommandLineTests",
      ["h2nn-dist", "DistributedChecks", "TestSupport", "Checkpoints", "ParallelHDF5"]),
  ]
)
