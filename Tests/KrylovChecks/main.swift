// Checks of iterations over ranks. Started as `mpirun -n P KrylovChecks NAME...`; without names it lists them.
import CheckSupport

runChecks(
  [bitsCheck] + solutionChecks + endingChecks + preconditionerChecks + preconditionedChecks)
